import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CaptionSourceClassifier } from '../../lib/classifiers';
import { writeCaptionSources, type CaptionSourceRow } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import {
  buildSourceClassifier, captionSource, evaluateSources, leakRow, loadCaptionSources, measureLeaks, shuffleSources, sourceEpochRows,
  sourceScoreRows, trainSourceClassifier,
  type CaptionSourceConfig, type SourceParts,
} from '../../lib/experiments';
import { tellingWords, wordEffects } from '../../lib/explain';
import { BertForSequenceClassification } from '../../lib/models';
import { Tokenizer } from '../../lib/tokenizers';

const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '../fixtures/tokenizers/word-piece'));
const config: CaptionSourceConfig = {
  ...captionSource.small, format: { ...captionSource.small.format, maxLength: 48 },
  training: { ...captionSource.small.training, epochs: 3, learningRate: 3e-3, warmupSteps: 10, maxGradNorm: 1 }, leakEpochs: 3,
};
const bert = {
  vocabSize: tokenizer.vocabularySize, hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 48,
  maxPositionEmbeddings: 48,
};
const build = ({ sources, format }: CaptionSourceConfig, random: Random): CaptionSourceClassifier =>
  new CaptionSourceClassifier(new BertForSequenceClassification(bert, sources.length, random), tokenizer, sources, format);

/** Two "models" of different style and like lengths: one likes "there", "standing" and full stops, the other "striped" and commas. */
function captions(images: number): CaptionSourceRow[] {
  const random = new Random(11), pick = (...words: string[]): string => words[random.integer(words.length)];
  return Array.from({ length: images }, (_, i) => i).flatMap((i) => {
    const thing = pick('car', 'kite', 'cat', 'flower', 'rocket'), color = pick('red', 'green', 'blue', 'pink');
    const place = pick('beach', 'street', 'sky');
    const original = `a ${color} ${thing} in the ${place}`;
    return [0, 10, 50, 80].flatMap((occlusionLevel) => {
      const said = random.uniform() < occlusionLevel / 100 ? pick('car', 'kite', 'cat') : thing;
      const common = { originalCaption: original, occlusionLevel, imageFilename: `${i}.jpg` };
      return [
        { sourceModel: 'SmolVLM', sentences: [`there is a ${said} on the ${place}.`, `a ${color} ${said} standing in the ${place}.`] },
        { sourceModel: 'Custom', sentences: [`a striped ${said}, ${place}`, `a ${color} ${said}, striped and small, on the ${place}`] },
      ].map(({ sourceModel, sentences }) => ({ ...common, sourceModel, generatedCaption: pick(...sentences) }));
    });
  });
}

describe('report 000, Part C, on captions of two styles', function suite() {
  this.timeout(120_000);
  let folder: string, parts: SourceParts;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'caption-source-'));
    const file = path.join(folder, 'captions.csv');
    assert.throws(() => loadCaptionSources({ ...config, file }), /captions\.csv is not there: run notebook 03/);
    writeCaptionSources(file, captions(90));
    parts = loadCaptionSources({ ...config, file });
  });
  after(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('tells the styles apart, names their words, and gives the same numbers again', async () => {
    const before = tensorCount();
    const run = async (more: object = {}) => {
      const random = new Random(config.training.seed), classifier = build(config, random);
      const result = await trainSourceClassifier({ classifier, parts, settings: config.training, random, ...more });
      assert.equal(result.graphObstacle, undefined);
      return { classifier, result, evaluation: await evaluateSources(classifier, parts.test) };
    };
    const { classifier, result, evaluation } = await run({ folder: path.join(folder, 'run') });
    const { report, roc, levels, loss } = evaluation;
    assert.ok(report.macro.f1 > 0.95, JSON.stringify(report));
    assert.ok(roc!.auc > 0.98 && loss < 0.3);
    assert.deepEqual(leakRow('whole input', evaluation), {
      input: 'whole input', accuracy: report.accuracy, macroF1: report.macro.f1, auc: roc!.auc, count: parts.test.length,
    });
    assert.deepEqual(levels.map(({ group }) => group), [0, 10, 50, 80]);
    assert.equal(levels.reduce((sum, { count }) => sum + count, 0), parts.test.length);

    const accuracies = result.history.map(({ metrics }) => metrics.valAccuracy);
    assert.equal(result.bestEpoch, accuracies.indexOf(Math.max(...accuracies)) + 1);
    const table = sourceEpochRows(result.history);
    assert.deepEqual(Object.keys(table[0]).slice(0, 5), ['epoch', 'train loss', 'val loss', 'val accuracy', 'report 000: train loss']);
    assert.equal(table[1]['report 000: val accuracy'], 0.9831);
    assert.deepEqual(sourceScoreRows(report).map(({ source }) => source), ['SmolVLM', 'Custom', 'macro mean', 'report 000, macro mean']);

    const words = tellingWords(config.sources, parts.test, await wordEffects(classifier, parts.test));
    const strongest = (source: string): string[] => words.filter((one) => one.source === source).slice(0, 3).map(({ word }) => word);
    assert.ok(strongest('Custom').some((word) => ['striped', ','].includes(word)), JSON.stringify(words));
    assert.ok(strongest('SmolVLM').some((word) => ['there', '.', 'standing', 'is'].includes(word)), JSON.stringify(words));

    const again = await run();
    assert.deepEqual(again.evaluation, evaluation, 'the same seed');
    classifier.dispose();
    again.classifier.dispose();
    assert.equal(tensorCount(), before);
    const other = { ...parts, train: parts.train.map((row, i) => (i === 0 ? { ...row, generatedCaption: 'a cat' } : row)) };
    await assert.rejects(run({ folder: path.join(folder, 'run'), parts: other }), /other settings\. data: /);
  });

  it('measures how much less is enough, and that shuffled labels leave chance', async () => {
    const before = tensorCount(), rows = await measureLeaks({ config, parts, build });
    assert.deepEqual(rows.map(({ input }) => input), [
      'original and generated caption, no level', 'generated caption alone', 'number of words of the generated caption alone',
      'number of characters of the generated caption alone', 'control: shuffled labels, whole input',
    ]);
    const [noLevel, generated, words, , control] = rows;
    assert.ok(noLevel.macroF1 > 0.95 && generated.macroF1 > 0.95, JSON.stringify(rows));
    assert.ok(words.accuracy > 0.4 && words.accuracy < 0.9, JSON.stringify(words));
    const deviation = 0.5 / Math.sqrt(parts.test.length);
    assert.ok(Math.abs(control.accuracy - 0.5) < 3 * deviation, `${control.accuracy} of ${control.count}`);
    assert.ok(rows.every(({ count }) => count === parts.test.length));
    assert.equal(tensorCount(), before);
  });

  it('shuffles names over all parts and leaves captions, parts and counts as they are', () => {
    const shuffled = shuffleSources(parts, config), names = (rows: CaptionSourceRow[]) => rows.map(({ sourceModel }) => sourceModel);
    const withoutNames = (rows: CaptionSourceRow[]) => rows.map(({ sourceModel, ...rest }) => rest);
    for (const split of ['train', 'val', 'test'] as const) assert.deepEqual(withoutNames(shuffled[split]), withoutNames(parts[split]));
    const all = (some: SourceParts) => names([...some.train, ...some.val, ...some.test]);
    assert.deepEqual(all(shuffled).sort(), all(parts).sort());
    const same = all(shuffled).filter((name, i) => name === all(parts)[i]).length / all(parts).length;
    assert.ok(Math.abs(same - 0.5) < 0.1, String(same));
    assert.deepEqual(all(shuffleSources(parts, config)), all(shuffled));
  });

  it('stops at the signal', async () => {
    const controller = new AbortController(), before = tensorCount();
    const onStep = ({ step }: { step: number }): void => { if (step === 3) controller.abort(); };
    await assert.rejects(measureLeaks({ config, parts, build, signal: controller.signal, onStep }), /abort/i);
    assert.equal(tensorCount(), before);
  });
});

describe('the settings of Part C', () => {
  it('of small start from the small BERT in weights/', async () => {
    const classifier = buildSourceClassifier(captionSource.small, new Random(1)), [row] = captions(1);
    const [{ probabilities }] = await classifier.predict([row]);
    assert.ok(probabilities.every((p) => p > 0.01), 'untrained, and a number');
    assert.equal(classifier.tokenizer.decode(classifier.encode(row).inputIds),
      `[CLS] ${row.originalCaption} [SEP] ${row.generatedCaption} [SEP] ${row.occlusionLevel} [SEP]`);
    classifier.dispose();
  });

  it('of full are the report\'s', () => {
    const { checkpoint, training, split, format, sources } = captionSource.full;
    assert.deepEqual([checkpoint, sources], ['bert-base-uncased', ['SmolVLM', 'Custom']]);
    assert.deepEqual(split, { seed: 42, shares: { train: 0.7, val: 0.1, test: 0.2 } });
    assert.deepEqual(training, { epochs: 4, batchSize: 16, learningRate: 2e-5, weightDecay: 0.01, warmupSteps: 0, seed: 42 });
    assert.deepEqual(format, { fields: ['original', 'generated', 'level'], maxLength: 128 });
  });
});
