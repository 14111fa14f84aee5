import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ZeroShotClassifier } from '../../lib/classifiers';
import { ImageFolderDataset } from '../../lib/datasets';
import { tensorCount } from '../../lib/engine';
import { alone, clipPrompts, comparePrompts, loadPromptPictures, reportedClipPrompts } from '../../lib/experiments';
import { encodeImage, type RgbImage } from '../../lib/images';
import { ClipEmbedder } from '../../lib/models';

const { small } = clipPrompts;
const [photo, image, none] = Object.keys(reportedClipPrompts);

describe('report 004, problem 1, on some things of Scenes', function suite() {
  this.timeout(120_000);
  let clip: ClipEmbedder, dataset: ImageFolderDataset, before_: number;
  before(async () => {
    before_ = tensorCount();
    clip = ClipEmbedder.load(small.checkpoint);
    dataset = (await loadPromptPictures({ pictures: { ...small.pictures, splits: ['test'] } as typeof small.pictures })).take(60);
  });
  after(() => {
    clip.dispose();
    assert.equal(tensorCount(), before_);
  });

  it('classifies far above chance, and differently with another prompt', async () => {
    const classifier = new ZeroShotClassifier(clip, dataset.classes), pictures = await clip.images(dataset.images());
    const prompts = { ...alone([photo, none, '{object}']), both: [photo, '{object}'] }, seen: string[] = [];
    const comparison = await comparePrompts({ classifier, dataset, pictures, prompts, samples: 200, onPrompt: (name) => seen.push(name) });
    assert.deepEqual([seen, classifier.promptsEmbedded], [[photo, none, '{object}', 'both'], 3]);
    const rows = comparison.accuracyRows();
    const printed = [[photo, 67.36], [none, 45.52], ['{object}', null], ['both', null]];
    assert.deepEqual(rows.map((row) => [row.prompt, row['report 004 (%)']]), printed);
    for (const { from, to, 'accuracy (%)': accuracy } of rows) {
      // One in 24 would be chance.
      assert.ok(Number(accuracy) > 20 && Number(from) < Number(accuracy) && Number(accuracy) < Number(to), JSON.stringify(rows));
    }
    const labels = ({ predictions }: { predictions: { label: number }[] }) => predictions.map(({ label }) => label);
    assert.notDeepEqual(labels(comparison.of(photo)), labels(comparison.of(none)));
    for (const row of comparison.differenceRows(photo)) {
      const [own, theirs] = [row.prompt, photo].map((name) => comparison.of(String(name)).report.accuracy);
      assert.equal(Math.round(Number(row['difference (points)']) * 0.6), Math.round(60 * (own - theirs)));
      const [right, wrong, others] = ['only it is right', 'only the other', 'other answers'].map((column) => Number(row[column]));
      assert.ok(others > 0 && others >= right + wrong, JSON.stringify(row));
      assert.equal(right - wrong, Math.round(60 * (own - theirs)));
    }
    const best = comparison.ranked()[0].report.accuracy;
    assert.equal(best, Math.max(...comparison.scores.map(({ report }) => report.accuracy)));
    const changes = comparison.classChanges(photo, none), total = changes.reduce((sum, { change, pictures: n }) => sum + change * n, 0);
    assert.ok(Math.abs(total / 60 - (comparison.of(none).report.accuracy - comparison.of(photo).report.accuracy)) < 1e-9, `${total}`);
    assert.ok(changes.every(({ change }, i) => i === 0 || change >= changes[i - 1].change), 'the largest fall first');
    assert.throws(() => comparison.of('other'), /There is no prompt "other"; there are This is a photo of/);
  });

  it('takes a folder of pictures with id2label.json as well', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pictures-'));
    try {
      const names = Object.fromEntries(dataset.classes.map((name, id) => [id, name]));
      fs.writeFileSync(path.join(folder, 'id2label.json'), JSON.stringify(names));
      for (const [i, { image: pixels, label }] of dataset.take(5).records.entries()) {
        fs.writeFileSync(path.join(folder, `${label}_${i}.png`), await encodeImage(pixels as RgbImage));
      }
      process.env.TEST_PICTURES_DIR = folder;
      const read = await loadPromptPictures({ pictures: { from: 'folder', variable: 'TEST_PICTURES_DIR' } });
      assert.deepEqual([read.length, read.classes, read.groups().length], [5, dataset.classes, 5]);
      const [inMemory, inFiles] = [await clip.images(dataset.take(5).images()), await clip.images(read.images())];
      const sums = ({ values }: typeof inFiles) => values.reduce((sum, value) => sum + value, 0);
      assert.ok(Math.abs(sums(inMemory) - sums(inFiles)) < 1e-3, 'the same pictures, in another order');
    } finally {
      delete process.env.TEST_PICTURES_DIR;
      fs.rmSync(folder, { recursive: true });
    }
    const config = { pictures: { from: 'folder', variable: 'TEST_PICTURES_DIR' } } as const;
    await assert.rejects(loadPromptPictures(config), /TEST_PICTURES_DIR is not set: give the folder/);
  });
});

describe('clipPrompts', () => {
  it('asks the report\'s three prompts first, of the report\'s network in full', () => {
    for (const { prompts } of Object.values(clipPrompts)) assert.deepEqual(prompts.slice(0, 3), [photo, image, none]);
    assert.equal(clipPrompts.full.checkpoint, 'clip-vit-large-patch14');
  });
});
