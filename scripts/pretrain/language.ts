// Trains a small language model on generated sentences and writes weights/NAME-scenes: GPT-2 to go on with a text, BERT to fill in masked
// words of pairs of captions. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/language.ts gpt2|bert [--steps 3000] [--lr 1e-3]
import { parseArgs } from 'node:util';
import { Random, tf, type Scalar, type Tensor } from '../../lib/engine';
import { BertForMaskedLM, GPT2LMHeadModel, save } from '../../lib/models';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { type Tokenizer } from '../../lib/tokenizers';
import { pretrain } from './pretrain';
import { IGNORED } from './scene-labels';
import { sceneSentences } from './scene-sentences';
import { writeBertTokenizer, writeGpt2Tokenizer } from './tokenizers';

const EPOCHS = 6;
interface TextBatch {
  inputIds: Tensor;
  attentionMask?: Tensor;
  tokenTypeIds?: Tensor;
  labels: Tensor;
}

interface Recipe {
  scenes: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  tokenizer(folder: string): Tokenizer;
  build(tokenizer: Tokenizer, random: Random): { model: Module; config: Record<string, unknown>; loss(batch: TextBatch): Scalar };
  /** Rows of ids and their labels from sentences, scene by scene. */
  rows(sentences: string[][], tokenizer: Tokenizer, random: Random): TextRow[];
}

interface TextRow {
  inputIds: number[];
  labels: number[];
  tokenTypeIds?: number[];
}

const ROW = 96;
const RECIPES: Record<string, Recipe> = {
  gpt2: {
    scenes: 16000,
    steps: 3000,
    batchSize: 24,
    learningRate: 1.5e-3,
    weightDecay: 0.05,
    tokenizer: writeGpt2Tokenizer,
    build({ vocabularySize, eosTokenId }, random) {
      const config = {
        vocabSize: vocabularySize,
        nPositions: 128,
        nEmbd: 192,
        nLayer: 4,
        nHead: 3,
        embdPdrop: 0,
        attnPdrop: 0,
        residPdrop: 0,
      };
      const model = new GPT2LMHeadModel(config, random);
      model.generationConfig = { bosTokenId: eosTokenId!, eosTokenId: eosTokenId! };
      return {
        model,
        config: { bos_token_id: eosTokenId, eos_token_id: eosTokenId },
        loss: ({ inputIds, labels }) => model.forward({ inputIds, labels }).loss as Scalar,
      };
    },
    /** Sentences one after the other, each behind an end of text, cut to rows; every row starts with a sentence. */
    rows(sentences, tokenizer, random) {
      const end = tokenizer.eosTokenId!,
        rows: TextRow[] = [];
      let row: number[] = [];
      for (const text of random.shuffle(sentences.flat())) {
        row.push(end, ...tokenizer.encode(text, { addSpecialTokens: false }).inputIds);
        if (row.length < ROW) continue;
        const ids = row.slice(0, ROW);
        rows.push({ inputIds: ids, labels: ids });
        row = [];
      }
      return rows;
    },
  },
  bert: {
    scenes: 16000,
    steps: 2100,
    batchSize: 48,
    learningRate: 1e-3,
    weightDecay: 0.01,
    tokenizer: (folder) => writeBertTokenizer(folder),
    build({ vocabularySize }, random) {
      const config = {
        vocabSize: vocabularySize,
        hiddenSize: 192,
        numHiddenLayers: 4,
        numAttentionHeads: 3,
        intermediateSize: 512,
        maxPositionEmbeddings: 128,
        hiddenDropoutProb: 0,
        attentionProbsDropoutProb: 0,
      };
      const model = new BertForMaskedLM(config, random);
      return { model, config: {}, loss: (batch) => model.forward({ ...batch }).loss as Scalar };
    },
    /** Two captions of one scene, one, or a narration; 15 % of the words are to be guessed: masked, a tenth each another or as it is. */
    rows(sentences, tokenizer, random) {
      const { maskTokenId, vocabularySize } = tokenizer;
      const special = new Set([tokenizer.clsTokenId, tokenizer.sepTokenId]);
      return random
        .shuffle(
          sentences.flatMap((texts) => {
            const captions = random.shuffle(texts.slice(0, -1));
            return [[captions[0], captions[1]], [captions[2], captions[3]], [captions[4]], [texts[texts.length - 1]]];
          }),
        )
        .map(([first, second]): TextRow => {
          const { inputIds, tokenTypeIds } = tokenizer.encode(second === undefined ? first : [first, second]);
          const labels = inputIds.map((id) => (!special.has(id) && random.uniform() < 0.15 ? id : IGNORED));
          const masked = inputIds.map((id, i) => {
            if (labels[i] === IGNORED) return id;
            const chance = random.uniform();
            return chance < 0.8 ? maskTokenId! : chance < 0.9 ? random.integer(vocabularySize) : id;
          });
          return { inputIds: masked, labels, tokenTypeIds };
        });
    },
  },
};

function makeBatch(rows: readonly TextRow[], pad: number): TextBatch {
  const length = Math.max(...rows.map(({ inputIds }) => inputIds.length));
  const filled = (values: readonly number[], filler: number): number[] => [
    ...values,
    ...Array<number>(length - values.length).fill(filler),
  ];
  const tensor = (make: (row: TextRow) => number[]) => tf.tensor2d(rows.map(make), [rows.length, length], 'int32');
  return {
    inputIds: tensor(({ inputIds }) => filled(inputIds, pad)),
    labels: tensor(({ labels }) => filled(labels, IGNORED)),
    ...(rows[0].tokenTypeIds
      ? {
          attentionMask: tensor(({ inputIds }) =>
            filled(
              inputIds.map(() => 1),
              0,
            ),
          ),
          tokenTypeIds: tensor(({ tokenTypeIds }) => filled(tokenTypeIds!, 0)),
        }
      : {}),
  };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { steps: { type: 'string' }, lr: { type: 'string' } } });
  const [name] = positionals,
    recipe = RECIPES[name];
  if (!recipe) throw new Error(`There is no recipe "${name}": expected one of ${Object.keys(RECIPES).join(', ')}.`);
  const folder = inProject('weights', `${name}-scenes`);
  const { scenes, batchSize, weightDecay } = recipe;
  const steps = Number(values.steps ?? recipe.steps),
    learningRate = Number(values.lr ?? recipe.learningRate);
  const tokenizer = recipe.tokenizer(folder);
  const random = new Random(1);
  const { model, config, loss } = recipe.build(tokenizer, random);
  const pad = tokenizer.padTokenId ?? tokenizer.eosTokenId!;
  const sentences = sceneSentences('train', scenes);
  const check = recipe.rows(sceneSentences('check', 300), tokenizer, new Random(2));
  console.log(`${name}: ${model.parameterCount()} parameters, ${tokenizer.vocabularySize} pieces, ${sentences.length} scenes`);
  // Rows differ from epoch to epoch: other neighbours, other masked words.
  let epochRows: { epoch: number; rows: TextRow[] } | undefined;
  const rowsOf = (epoch: number): TextRow[] => {
    if (epochRows?.epoch !== epoch)
      epochRows = {
        epoch,
        rows: recipe.rows(
          sentences.map((texts) => [...texts]),
          tokenizer,
          new Random(100 + epoch),
        ),
      };
    return epochRows.rows;
  };
  const stepsPerEpoch = Math.floor(steps / EPOCHS);
  const needed = stepsPerEpoch * batchSize,
    found = rowsOf(0).length;
  if (found * 0.98 < needed) throw new Error(`${scenes} scenes give about ${found} rows, an epoch takes ${needed}.`);
  let current = 0;
  await pretrain<TextBatch>({
    name: `${name}-scenes`,
    model,
    random,
    loss,
    config: { name, steps, batchSize, scenes },
    epochs: EPOCHS,
    learningRate,
    weightDecay,
    checkpointSteps: 250,
    batches: {
      stepsPerEpoch,
      order: (epoch) => {
        current = epoch;
        return Uint32Array.from({ length: needed }, (_, i) => i);
      },
      batch: (order, index) => {
        const rows = rowsOf(current);
        return makeBatch(
          Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (i) => rows[i % rows.length]),
          pad,
        );
      },
    },
    validate: () => {
      let sum = 0,
        words = 0;
      for (let from = 0; from < check.length; from += batchSize) {
        const rows = check.slice(from, from + batchSize),
          batch = makeBatch(rows, pad);
        const value = tf.tidy(() => loss(batch));
        const count = rows.reduce((total, { labels }) => total + labels.filter((label) => label !== IGNORED).length, 0);
        sum += value.dataSync()[0] * count;
        words += count;
        tf.dispose([value, ...(Object.values(batch) as Tensor[])]);
      }
      return { loss: sum / words, perplexity: Math.exp(sum / words) };
    },
  });
  save(folder, { model, config }, { half: () => true });
  console.log(`saved ${folder}`);
}

void main();
