import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { CaptionDataset, readCaptionSources, type CaptionSourceRow } from '../../lib/datasets';
import {
  captionOccluded, occlusionDataset, occlusionStudy, reportedOcclusion, scoreOccluded,
} from '../../lib/experiments/occlusion';
import { occlusionKinds, occlusionLevels } from '../../lib/experiments/occlusion-figures';
import { OcclusionScores } from '../../lib/experiments/occlusion-scores';
import { decodeImage, occlude, type RgbImage } from '../../lib/images';
import { scoreCaptions } from '../../lib/metrics';
import { lineFigure } from '../../lib/notebook/charts';
import { imageGridBundle } from '../../lib/notebook/image-grid';
import { tableBundle } from '../../lib/notebook/tables';
import { Random } from '../../lib/random';
import { temporaryFolder } from '../datasets/temporary-folder';
import { FakeCaptioner } from './fake-captioner';

const LEVELS = [0, 10, 50, 80];
const dataset = occlusionDataset(occlusionStudy.small);

/** What models would say that lose words with occlusion: one many, the other few. */
function rowsOf(images: CaptionDataset): CaptionSourceRow[] {
  const random = new Random(5);
  const garble = (text: string, share: number) => text.split(' ').map((word) => (random.uniform() < share ? 'thing' : word)).join(' ');
  return images.records.flatMap(({ image, captions }) => [['SmolVLM', 0.5, 0.004], ['Custom', 0.1, 0.008]].flatMap(([model, base, slope]) =>
    LEVELS.map((level) => ({
      originalCaption: captions[0],
      generatedCaption: garble(captions[1], Number(base) + Number(slope) * level),
      occlusionLevel: level,
      sourceModel: String(model),
      imageFilename: basename(image),
    }))));
}

describe('OcclusionScores', () => {
  const rows = rowsOf(dataset);
  const scores = scoreOccluded(occlusionStudy.small, rows, dataset);

  it('are those of scoreCaptions with all captions of each picture', () => {
    const references = Object.fromEntries(dataset.records.map(({ image, captions }) => [basename(image), captions]));
    for (const model of ['SmolVLM', 'Custom']) {
      for (const level of LEVELS) {
        const own = rows.filter(({ sourceModel, occlusionLevel }) => sourceModel === model && occlusionLevel === level);
        const { corpus } = scoreCaptions(references, Object.fromEntries(own.map((row) => [row.imageFilename, row.generatedCaption])));
        const row = scores.scoreTable().find((line) => line.model === model && line['occlusion (%)'] === level)!;
        const { Bleu_4, METEOR, ROUGE_L, CIDEr } = corpus;
        assert.deepEqual(row, { model, 'occlusion (%)': level, 'BLEU-4': Bleu_4, METEOR, 'ROUGE-L': ROUGE_L, CIDEr });
        assert.ok(corpus.METEOR > 0.1);
      }
    }
    assert.deepEqual([scores.models, scores.levels, scores.images], [['SmolVLM', 'Custom'], LEVELS, 100]);
  });

  it('fall with occlusion by more than their intervals, and differ between models', () => {
    for (const model of scores.models) {
      for (const metric of ['Bleu_4', 'METEOR', 'ROUGE_L', 'CIDEr'] as const) {
        const { value, high } = scores.change(model, 80, metric);
        assert.ok(value < 0 && high < 0, `${model} ${metric}`);
        assert.ok(Math.abs(value - (scores.score(model, 80, metric).value - scores.score(model, 0, metric).value)) < 1e-12);
      }
    }
    assert.ok(scores.gap('Custom', 'SmolVLM', 0, 'CIDEr').low > 0);
  });

  it('come as the tables of the report, signed and with intervals', () => {
    const changes = scores.changeTable();
    const expected = ['SmolVLM', 'Custom'].flatMap((model) => [10, 50, 80].map((level) => [model, level]));
    assert.deepEqual(changes.map((row) => [row.model, row['occlusion (%)']]), expected);
    const { value, low, high } = scores.change('Custom', 80, 'CIDEr');
    assert.equal(changes[5].CIDEr, `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}] *`);
    const smallest = scores.change('SmolVLM', 10, 'ROUGE_L');
    assert.equal(String(changes[0]['ROUGE-L']).endsWith('*'), smallest.low > 0 || smallest.high < 0);
    const share = (100 * value) / scores.score('Custom', 0, 'CIDEr').value;
    assert.equal(scores.relativeChangeTable()[5].CIDEr, `${share.toFixed(1)} %`);
    assert.match(String(scores.scoreTable({ intervals: true })[0].METEOR), /^0\.\d{4} \[0\.\d{4}, 0\.\d{4}\]$/);
    assert.match(String(scores.gapTable('Custom', 'SmolVLM')[0].CIDEr), /^\+\d\.\d{4} \[\+.*\] \*$/);
    assert.match(String(tableBundle(scores.scoreTable())['text/plain']), /model +occlusion \(%\) +BLEU-4 +METEOR +ROUGE-L +CIDEr/);
    assert.deepEqual(Object.keys(reportedOcclusion[0]), Object.keys(scores.scoreTable()[0]).slice(0, 5), 'as the report\'s own');
  });

  it('come as curves with bands', () => {
    const [smol, custom] = scores.curves('CIDEr');
    assert.deepEqual([smol.name, custom.name, smol.x], ['SmolVLM', 'Custom', LEVELS]);
    LEVELS.forEach((level, i) => {
      const { value, low, high } = scores.score('Custom', level, 'CIDEr');
      assert.deepEqual([custom.y[i], custom.band!.low[i], custom.band!.high[i]], [value, low, high]);
    });
    assert.equal(lineFigure(scores.curves('CIDEr'), { title: 'CIDEr', x: 'Occlusion (%)', y: 'CIDEr' }).data.length, 4);
  });

  it('do not accept a table with holes', () => {
    const of = (change: (all: CaptionSourceRow[]) => CaptionSourceRow[], images = dataset) =>
      () => new OcclusionScores(change(rowsOf(dataset)), images);
    assert.throws(of((all) => all.slice(1)), /no caption of SmolVLM for .*\.png at 0 %/);
    assert.throws(of((all) => [...all, all[3]]), /1 rows have the picture, model and level of another/);
    assert.throws(of((all) => all.filter((row) => row.occlusionLevel > 0)), /levels 10, 50, 80; expected 0 among them/);
    assert.throws(of(() => []), /levels none/);
    assert.throws(of((all) => all, dataset.take(99)), /has no picture .*\.png, of which the rows have captions/);
  });
});

describe('the study of occlusion', () => {
  const temporary = temporaryFolder();

  it('differs between profiles in values only, and has the report\'s cells', () => {
    assert.deepEqual(Object.keys(occlusionStudy.small).sort(), Object.keys(occlusionStudy.full).sort());
    for (const { levels, occlusion } of Object.values(occlusionStudy)) {
      assert.deepEqual([levels, occlusion.grid, occlusion.fill, occlusion.pattern], [[0, 10, 50, 80], 16, 'black', 'random']);
    }
    assert.deepEqual([dataset.length, dataset.name], [100, 'Scenes/test']);
    assert.equal(occlusionDataset({ dataset: 'scenes', splits: ['val', 'test'] }).length, 200);
  });

  it('runs from pictures to tables', async () => {
    const few = dataset.take(12);
    const models = { SmolVLM: { captioner: new FakeCaptioner('SmolVLM') }, Custom: { captioner: new FakeCaptioner('Custom') } };
    const config = { ...occlusionStudy.small, bootstrap: { ...occlusionStudy.small.bootstrap, samples: 50 } };
    const { file, rows } = await captionOccluded(config, { dataset: few, models, folder: join(temporary.path, 'run') });
    assert.deepEqual(readCaptionSources(file), rows);
    assert.equal(scoreOccluded(config, rows!, few).scoreTable().length, 8);
  });
});

describe('the figures of occlusion', () => {
  const rows = rowsOf(dataset);
  const [record] = dataset.records;
  const file = basename(record.image);

  it('show one picture at every level with its captions', async () => {
    const items = await occlusionLevels(file, dataset, rows, { seed: 7 });
    assert.deepEqual(items.map(({ title }) => title), ['0 %', '10 %', '50 %', '80 %']);
    const picture = await decodeImage(record.image);
    items.forEach(({ image, caption }, i) => {
      assert.deepEqual(image, occlude(picture, LEVELS[i], { seed: 7, name: file }));
      const own = rows.filter((row) => row.imageFilename === file && row.occlusionLevel === LEVELS[i]);
      assert.deepEqual(caption, own.map((row) => `${row.sourceModel}: ${row.generatedCaption}`));
    });
    const bundle = await imageGridBundle(items, { columns: 4 });
    assert.ok(String(bundle['text/plain']).includes('80 %: SmolVLM: '));
    await assert.rejects(occlusionLevels('none.png', dataset, rows), /Scenes\/test has no picture none\.png/);
    await assert.rejects(occlusionLevels(file, dataset, rows.filter((row) => row.imageFilename !== file)), /The rows have no picture/);
  });

  it('show every fill and pattern', async () => {
    const items = await occlusionKinds(record.image, 50, { name: file });
    const titles = ['random, black', 'random, mean', 'random, noise', 'random, blur', 'center, black', 'border, black'];
    assert.deepEqual(items.map(({ title }) => title), titles);
    const pictures = items.map(({ image }) => Buffer.from((image as RgbImage).data).toString('base64'));
    assert.equal(new Set(pictures).size, 6);
  });
});
