/** Solutions of the exercises that train (notebooks 01, 02, 06 and 08), on a few pictures and small decoders: that they can be done so. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SmolVLMCaptioner, type Caption, type PromptedCaptioner } from '../../lib/captioners';
import { sceneObjectName, type CaptionRecord } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import {
  buildCaptioner, buildVitGpt2Prompt, captionRecords, disposeDistillation, distill, knowledgeDistillation, mobileNetGru,
  paddedPieces, paddingEffect, partA, prepareDistillation, reportedRows, score, searchVitGpt2, summarizeDistillation, TeacherLessons,
  trainCaptioner, trainTeacher, vitGpt2Prompt, type DistillationConfig, type DistillationRow, type DistilledModelConfig,
  type MobileNetGruConfig, type VitGpt2PromptConfig,
} from '../../lib/experiments';
import { wordMaps } from '../../lib/explain';
import type { EpochRecord } from '../../lib/training';
import { encodedScenes, fewScenes } from '../experiments/few-scenes';

const COLOURS = ['red', 'blue', 'green', 'yellow', 'orange', 'purple', 'pink', 'brown', 'black', 'white', 'gray', 'grey', 'turquoise'];
const NUMBERS = ['two', 'three', 'four', 'five'];
const kindOf = (word: string): 'noun' | 'colour' | 'number' | undefined =>
  (sceneObjectName(word) ? 'noun' : COLOURS.includes(word) ? 'colour' : NUMBERS.includes(word) ? 'number' : undefined);
const wordsOf = (text: string): string[] => text.toLowerCase().split(/\W+/).filter(Boolean);

/** Words of a kind that nobody uses for the picture. */
const wrongWords = (text: string, { captions }: CaptionRecord): string[] => {
  const right = new Set(captions.flatMap(wordsOf));
  return wordsOf(text).filter((word) => kindOf(word) && !right.has(word));
};

const lastOf = (history: readonly EpochRecord[]): EpochRecord => history[history.length - 1];
const meanWords = (captions: readonly Caption[]): number =>
  captions.reduce((sum, { text }) => sum + wordsOf(text).length, 0) / captions.length;

describe('solutions of notebook 01\'s exercises', function suite() {
  this.timeout(120_000);
  const { small } = mobileNetGru, dataset = fewScenes(24, 4), test = dataset.split('test');
  const config: MobileNetGruConfig = {
    ...small, decoder: { ...small.decoder, embedSize: 24, hiddenSize: 32 },
    training: { ...small.training, epochs: 4, learningRate: 1e-2, generateEvery: 10 },
  };
  const encoded = encodedScenes(config, dataset);
  const trained = async (decoder: Partial<MobileNetGruConfig['decoder']> = {}) => {
    const { encoder, features } = encoded, random = new Random(1);
    const captioner = buildCaptioner({ ...config, decoder: { ...config.decoder, ...decoder } }, dataset, encoder, random);
    const { history } = await trainCaptioner({ captioner, dataset, features, settings: config.training, random });
    return { captioner, losses: history.map(({ trainLoss }) => trainLoss) };
  };
  let standard: Awaited<ReturnType<typeof trained>>;
  before(async () => { standard = await trained(); });
  after(() => standard.captioner.decoder.dispose());

  it('1, 2: what both variants gain from twice the epochs; training without dropout', async () => {
    const before = tensorCount(), once = await trained({ attentionFrom: 'initialState' }), whole = await trained({ dropout: 0 });
    const gains = [standard, once].map(({ losses }) => losses[1] - losses[3]);
    assert.ok(gains.every((gain) => gain > 0) && gains[0] !== gains[1], `losses fall further: ${gains}`);
    assert.ok(whole.losses[3] < standard.losses[3], `training loss ${whole.losses[3]} without dropout, ${standard.losses[3]} with it`);
    for (const { captioner } of [once, whole]) captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });

  it('1: which kinds of words are wrong', () => {
    const [first, second] = test.records;
    assert.deepEqual(wrongWords(first.captions[0], first), []);
    assert.ok(wrongWords(second.captions[0], first).length > 0, 'captions of another picture have wrong words');
    const turned = [...test.records.slice(1), first];
    const wrong = test.records.flatMap((record, i) => wrongWords(record.captions[0], turned[i]));
    assert.deepEqual([...new Set(wrong.map(kindOf))].sort(), ['colour', 'noun', 'number'], wrong.join());
  });

  it('3, 4: longer captions by the penalty; where wrong words were looked for', async () => {
    const { captioner } = standard, before = tensorCount();
    const beams = [0, 1, 2].map((lengthPenalty) => captionRecords(captioner, test, encoded.features, { numBeams: 4, lengthPenalty }));
    const lengths = beams.map(meanWords);
    assert.ok(lengths[2] >= lengths[0], `words a caption: ${lengths}`);
    const looked = (await captioner.caption(test.images())).flatMap((caption, i) => {
      const { words, maps, grid } = wordMaps(caption);
      return words.map((word, at) => ({ word, map: maps[at], grid, wrong: wrongWords(word, test.records[i]).length > 0 }));
    });
    // Which words are wrong hangs on so short a training; each has its map.
    assert.ok(looked.length > 0 && looked.every(({ map, grid }) => map.length === grid[0] * grid[1]), JSON.stringify(looked));
    assert.equal(tensorCount(), before);
  });
});

describe('solutions of notebook 02\'s exercises', function suite() {
  this.timeout(120_000);
  const dataset = fewScenes(16, 2), pictures = dataset.split('test').images();

  it('1, 3, 4: a frozen ViT; penalties; the rate that training loss would choose', async () => {
    const before = tensorCount();
    const config = { ...partA.small.custom, learningRates: [1e-6, 1e-3], searchEpochs: 1, epochs: 1, batchSize: 8, warmupSteps: 0 };
    const frozen = await searchVitGpt2({ config: { ...config, freezeEncoder: true }, dataset });
    const { model } = frozen.captioner;
    assert.ok(model.encoder.parameters().every(({ trainable }) => !trainable), 'no parameter of the ViT is trained');
    assert.ok(model.decoder.trainableParameters().length > 0, 'those of GPT-2 are');
    const losses = frozen.runs.map(({ history }) => lastOf(history).trainLoss), byTraining = losses.indexOf(Math.min(...losses));
    assert.ok(losses[byTraining] < losses[1 - byTraining], `the rates differ: ${losses}`);
    const beams = [0, 2].map((lengthPenalty) => frozen.captioner.caption(pictures, { numBeams: 3, lengthPenalty, maxNewTokens: 16 }));
    const [few, many] = (await Promise.all(beams)).map((captions) => captions.reduce((sum, { tokens }) => sum + tokens.length, 0));
    assert.ok(many >= few, `${few} and ${many} tokens`);
    frozen.captioner.dispose();
    assert.equal(tensorCount(), before);
  });

  it('2: another question to SmolVLM', async () => {
    const before = tensorCount(), { baseline } = partA.small;
    const asked = SmolVLMCaptioner.load(baseline.checkpoint, { ...baseline, question: 'a short caption of a few words' });
    const captions = await asked.caption(pictures, { maxNewTokens: 12 });
    assert.ok(captions.every(({ text, tokens }) => text !== '' && tokens.length <= 12), captions.map(({ text }) => text).join('; '));
    asked.dispose();
    assert.equal(tensorCount(), before);
  });
});

describe('solutions of notebook 06\'s exercises', function suite() {
  this.timeout(120_000);
  const { small } = vitGpt2Prompt, dataset = fewScenes(8, 2), test = dataset.split('test');
  const config: VitGpt2PromptConfig = { ...small, training: { ...small.training, epochs: 1, batchSize: 4, keepEvery: undefined } };
  const encoded = encodedScenes(config, dataset);
  /** Trains and hands the captioner to `work`. */
  async function trained<T>(changes: Partial<VitGpt2PromptConfig>, work: (captioner: PromptedCaptioner, loss: number) => Promise<T>) {
    const { encoder, features } = encoded, random = new Random(1), before = tensorCount();
    const captioner = buildVitGpt2Prompt({ ...config, ...changes }, encoder, random);
    try {
      const { history } = await trainCaptioner({ captioner, dataset, features, settings: config.training, random });
      return await work(captioner, lastOf(history).trainLoss);
    } finally {
      captioner.decoder.dispose();
      assert.equal(tensorCount(), before);
    }
  }

  it('1: other prompts, and none', async () => {
    const losses: number[] = [];
    for (const prompt of ['A drawing of ', '']) {
      losses.push(await trained({ prompt }, async (captioner, loss) => {
        const [one] = captionRecords(captioner, test.take(1), encoded.features, { maxNewTokens: 6 });
        assert.equal(typeof one.text, 'string');
        return loss;
      }));
    }
    assert.notEqual(losses[0], losses[1], 'each is another training');
  });

  it('2, 4: positions counted from the batch\'s edge; beams', async () => {
    const { features } = encoded;
    await trained({ positionsFrom: 'batch' }, async (captioner) => {
      const options = { captioner, dataset: dataset.split('val'), features, columns: [0, 16], maxWords: 31 };
      const [near, far] = await paddingEffect(options);
      assert.ok(Math.abs(near.text - far.text) < 1e-3 && Math.abs(near.batch - far.batch) > 1e-3, JSON.stringify([near, far]));
      const [greedy, beams] = [1, 3].map((numBeams) => captionRecords(captioner, test, features, { numBeams, maxNewTokens: 12 }));
      const gain = score(test, beams).corpus.CIDEr - score(test, greedy).corpus.CIDEr;
      assert.ok(Number.isFinite(gain), String(gain));
    });
  });

  it('3: the loss if the prompt counted, by the numbers of pieces', () => {
    const captioner = buildVitGpt2Prompt(config, encoded.encoder, new Random(1));
    const [pieces] = paddedPieces(captioner, ['There is a small red boat on the sea.']);
    const read = pieces.filter(({ mask }) => mask === 1).length, scored = pieces.filter(({ label }) => label !== '−100').length;
    assert.ok(scored > 5 && read > scored, `${scored} of ${read} pieces are scored`);
    // A prompt that never changes is soon known by heart: its pieces would cost nothing.
    const loss = 1.5, withPrompt = (loss * scored) / read;
    assert.ok(withPrompt < loss, `${withPrompt}`);
    captioner.decoder.dispose();
  });
});

describe('solutions of notebook 08\'s exercises', function suite() {
  this.timeout(120_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'solutions-08-')), { small } = knowledgeDistillation;
  const short = { epochs: 1, batchSize: 16 };
  const tiny = ({ decoder, training, ...model }: DistilledModelConfig, hiddenSize: number): DistilledModelConfig =>
    ({ ...model, decoder: { ...decoder, hiddenSize, embedSize: 8, attentionSize: 8 }, training: { ...training, ...short } });
  const config: DistillationConfig = { ...small, teacher: tiny(small.teacher, 16), student: tiny(small.student, 8), numBeams: 1 };
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('1 to 5: weights, β of 1, further seeds, twice the epochs, a frozen encoder', async () => {
    const before = tensorCount(), dataset = fewScenes(8, 2);
    const setup = await prepareDistillation(config, { dataset, folder });
    const { captioner: teacher } = await trainTeacher(setup, { folder }), lessons = new TeacherLessons(setup, teacher);
    const rows: DistillationRow[] = [
      reportedRows.baseline,
      { ...reportedRows.both20, key: 'strong', name: 'strong', decoderWeight: 10 },
      { ...reportedRows.both20, key: 'unseen', name: 'no caption of a person', beta: 1 },
      { ...reportedRows.decoder, key: 'decoder-frozen', name: 'decoder term, encoder frozen', freezeEncoder: true },
    ];
    const runs = await distill(setup, lessons, { rows, folder, seeds: [4] });
    const losses = runs.map(({ valLoss }) => valLoss.at(-1)!);
    assert.equal(new Set(losses).size, rows.length, `each learns something else: ${losses}`);
    const seeds = await distill(setup, lessons, { rows: rows.slice(0, 2), folder, seeds: [4, 5] });
    const [, strong] = summarizeDistillation(seeds, 'valLoss');
    assert.deepEqual([strong.row, Number.isFinite(strong.margin)], ['strong', true]);

    const { student } = config, training = { ...student.training, epochs: 2 * student.training.epochs };
    const longer = { ...setup, config: { ...config, student: { ...student, training } } };
    const [{ valLoss }] = await distill(longer, lessons, { rows: rows.slice(0, 1), folder, seeds: [4] });
    assert.ok(valLoss.length === 2 && valLoss[1] < valLoss[0], `${valLoss}`);
    teacher.decoder.dispose();
    disposeDistillation(setup);
    assert.equal(tensorCount(), before);
  });
});
