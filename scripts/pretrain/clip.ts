// Trains a small CLIP by contrast: which of 64 pictures does a caption belong to, and which caption to a picture. Its image tower starts
// from the small ViT. Writes weights/clip-scenes. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/clip.ts [--steps 1000]
import { parseArgs } from 'node:util';
import { Random, tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../../lib/engine';
import { ImageProcessor, NORMALIZATION } from '../../lib/images';
import { CLIPModel, load, save, ViTForImageClassification } from '../../lib/models';
import { inProject } from '../../lib/project';
import type { Tokenizer } from '../../lib/tokenizers';
import { annotate, ANNOTATORS, KINDS, type Scene } from '../scenes';
import { towerToClip } from './copy-tower';
import { pretrain } from './pretrain';
import { ScenePictures } from './scene-pictures';
import { writeClipTokenizer } from './tokenizers';
import { pictureTensor } from './vision-encoder';
import { TOWER } from './vision-recipes';

const BATCH = 64,
  EPOCHS = 6,
  PICTURES = 60000,
  CHECKED = 500,
  LONGEST = 40;
const NAME = 'clip-scenes';
const processor = new ImageProcessor({ size: { height: TOWER.imageSize, width: TOWER.imageSize }, ...NORMALIZATION.half });

/** Short ways to say what is seen, for prompts. */
export const PROMPTS = [
  (what: string) => `a photo of ${what}`,
  (what: string) => `this is a photo of ${what}`,
  (what: string) => `a picture of ${what}`,
  (what: string) => what,
  (what: string) => `an image of ${what}`,
  (what: string) => `there is ${what}`,
];
const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

/** A caption in one annotator's words or, one time in six, a prompt with the first thing's name. */
function textOf(scene: Scene, random: Random): string {
  const prompt = PROMPTS[random.integer(PROMPTS.length)],
    annotator = ANNOTATORS[random.integer(ANNOTATORS.length)];
  const { kind, colour } = scene.entities[0];
  return random.uniform() < 1 / 6 ? prompt(withArticle(random.uniform() < 0.5 ? kind : `${colour} ${kind}`)) : annotate(scene, annotator);
}

interface PairBatch {
  pixelValues: Tensor4D;
  inputIds: Tensor2D;
  attentionMask: Tensor2D;
}

function encode(texts: readonly string[], tokenizer: Tokenizer): { inputIds: Tensor2D; attentionMask: Tensor2D } {
  const { inputIds, attentionMask } = tokenizer.encodeBatch(texts, { padding: 'longest', truncation: true, maxLength: LONGEST });
  return { inputIds: tf.tensor2d(inputIds, undefined, 'int32'), attentionMask: tf.tensor2d(attentionMask, undefined, 'int32') };
}

/** (rows, width) of length 1, `size` rows at a time. */
function embed(count: number, size: number, features: (from: number, to: number) => Tensor): Tensor2D {
  const parts: Tensor2D[] = [];
  for (let from = 0; from < count; from += size) {
    parts.push(
      tf.tidy(() => {
        const x = features(from, Math.min(count, from + size)) as Tensor2D;
        return tf.div(x, tf.norm(x, 2, 1, true));
      }),
    );
  }
  const all = tf.concat(parts);
  tf.dispose(parts);
  return all;
}

/** Of 500 pictures with a caption each: how often the right one is among the first; how often a prompt finds the kind of a single thing. */
function evaluate(model: CLIPModel, check: ScenePictures, tokenizer: Tokenizer): Record<string, number> {
  const texts = check.scenes.map((scene, i) => annotate(scene, ANNOTATORS[i % ANNOTATORS.length]));
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const textFeatures = (all: readonly string[]) => (from: number, to: number) =>
    model.getTextFeatures(encode(all.slice(from, to), tokenizer)).poolerOutput;
  const pictures = embed(
    CHECKED,
    50,
    (from, to) =>
      model.getImageFeatures({ pixelValues: pictureTensor(check.pixels(range(from, to)), TOWER.imageSize, processor) }).poolerOutput,
  );
  const captions = embed(CHECKED, 50, textFeatures(texts));
  const prompts = embed(KINDS.length, KINDS.length, textFeatures(KINDS.map((kind) => `a photo of ${withArticle(kind)}`)));
  const [scores, kinds] = tf.tidy(() => [
    tf.matMul(captions, pictures, false, true).arraySync() as number[][],
    tf.argMax(tf.matMul(pictures, prompts, false, true), 1).arraySync() as number[],
  ]);
  const rank = (right: number, others: number[]) => others.filter((score) => score > right).length;
  const toPicture = scores.map((row, i) => rank(row[i], row)),
    toText = scores.map((row, i) =>
      rank(
        row[i],
        scores.map((other) => other[i]),
      ),
    );
  const share = (ranks: number[], first: number) => ranks.filter((r) => r < first).length / ranks.length;
  const alone = check.scenes.map((scene, i) => ({ scene, i })).filter(({ scene }) => scene.entities.length === 1);
  const right = alone.filter(({ scene, i }) => KINDS[kinds[i]] === scene.entities[0].kind).length;
  let loss = 0;
  for (let from = 0; from + BATCH <= CHECKED; from += BATCH) {
    loss += tf.tidy(() => {
      const batch = {
        pixelValues: pictureTensor(check.pixels(range(from, from + BATCH)), TOWER.imageSize, processor),
        ...encode(texts.slice(from, from + BATCH), tokenizer),
      };
      return model.forward({ ...batch, returnLoss: true }).loss!.dataSync()[0];
    });
  }
  tf.dispose([pictures, captions, prompts]);
  return {
    loss: loss / Math.floor(CHECKED / BATCH),
    'text to picture, first': share(toPicture, 1),
    'among five': share(toPicture, 5),
    'picture to text, first': share(toText, 1),
    'text among five': share(toText, 5),
    'kind by prompt': right / alone.length,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { steps: { type: 'string', default: '1000' } } });
  const steps = Number(values.steps);
  const folder = inProject('weights', NAME);
  const tokenizer = writeClipTokenizer(folder);
  const random = new Random(1);
  const text = {
    hiddenSize: 192,
    intermediateSize: 512,
    numHiddenLayers: 3,
    numAttentionHeads: 3,
    vocabSize: tokenizer.vocabularySize,
    maxPositionEmbeddings: 77,
    eosTokenId: tokenizer.eosTokenId!,
    hiddenAct: 'gelu',
  } as const;
  const model = new CLIPModel({ textConfig: text, visionConfig: { ...TOWER, hiddenAct: 'gelu' }, projectionDim: 128 }, random);
  const { model: tower } = load(inProject('weights', 'vit-scenes'), { as: ViTForImageClassification });
  towerToClip(tower, model.vision_model);
  tower.dispose();
  const data = await ScenePictures.open('train', PICTURES),
    check = await ScenePictures.open('check', CHECKED);
  console.log(`${NAME}: ${model.parameterCount()} parameters, ${tokenizer.vocabularySize} pieces`);
  await pretrain<PairBatch>({
    name: NAME,
    model,
    random,
    epochs: EPOCHS,
    learningRate: 5e-4,
    weightDecay: 0.05,
    config: { steps, batchSize: BATCH, pictures: PICTURES },
    batches: {
      stepsPerEpoch: Math.floor(steps / EPOCHS),
      order: (epoch) => new Random(3000 + epoch).shuffle(Uint32Array.from({ length: PICTURES }, (_, i) => i)),
      batch(order, index) {
        const indices = order.subarray(index * BATCH, (index + 1) * BATCH),
          words = new Random(order[0] * 131 + index);
        const texts = Array.from(indices, (i) => textOf(data.scenes[i], words));
        return {
          pixelValues: pictureTensor(data.pixels(indices), TOWER.imageSize, processor, { random: words }),
          ...encode(texts, tokenizer),
        };
      },
    },
    loss: (batch) => tf.tidy(() => model.forward({ ...batch, returnLoss: true }).loss as Scalar),
    validate: () => evaluate(model, check, tokenizer),
  });
  const token = { pad_token_id: tokenizer.eosTokenId, bos_token_id: tokenizer.bosTokenId, eos_token_id: tokenizer.eosTokenId };
  save(folder, { model, processor, config: { text_config: token } }, { half: () => true });
  processor.save(folder, 'CLIPImageProcessor');
  console.log(`saved ${folder}`);
}

void main();
