import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { trainFromConfig } from '../../lib/cli/train';
import { loadScenes } from '../../lib/datasets';
import { tensorCount } from '../../lib/engine';
import { readOwnCaptionerConfig } from '../../lib/experiments/own-captioner-config';
import { resolveCheckpoint } from '../../lib/weights';

const MAIN = resolve(__dirname, '../../lib/cli/main.ts');

/** Run `captioning …` from source, in a process of its own. */
function captioning(...args: string[]) {
  const script = `require(${JSON.stringify(MAIN)}).main(process.argv)`;
  return spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), '-e', script, 'captioning', ...args], { encoding: 'utf8' });
}

interface Trained {
  folder: string; pictures: Record<string, number>; bestEpoch: number;
  epochs: { epoch: number; trainLoss: number }[]; scores: Record<string, number>; samples: { image: string; caption: string }[];
}

describe('captioning train and captioning caption', function suite() {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'train-')), photos = join(folder, 'photos'), file = join(folder, 'config.json');
  const records = loadScenes().split('train').records.slice(0, 30);
  const settings = {
    images: 'photos', captions: 'captions.csv', output: 'mine', encoder: 'mobilenet_v2-scenes', decoder: { embedSize: 8, hiddenSize: 8 },
    epochs: 1, validationShare: 0.2, testShare: 0.2, minCount: 1,
  };
  const write = (changes: object) => writeFileSync(file, JSON.stringify({ ...settings, ...changes }));
  before(() => {
    mkdirSync(photos);
    for (const { image } of records) cpSync(image, join(photos, basename(image)));
    const rows = records.flatMap(({ image, captions }) => captions.map((caption) => `${basename(image)},"${caption}"\n`));
    writeFileSync(join(folder, 'captions.csv'), `image,caption\n${rows.join('')}gone.png,"a picture that is not there"\n`);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('trains, goes on with more epochs, and leaves a folder that caption reads', async () => {
    write({});
    const tensors = tensorCount();
    const first = JSON.parse(await trainFromConfig(file, { json: true })) as Trained;
    assert.equal(tensorCount(), tensors);
    assert.equal(first.folder, join(folder, 'mine'));
    assert.deepEqual(Object.values(first.pictures).reduce((a, b) => a + b), 30);
    assert.deepEqual(Object.keys(first.scores), ['Bleu_1', 'Bleu_4', 'METEOR', 'ROUGE_L', 'CIDEr']);
    assert.equal(first.samples.length, 4);

    write({ epochs: 2 });
    const { status, stdout, stderr } = captioning('train', file, '--json');
    assert.equal(stderr, `captioning: ${photos}: there is no picture gone.png; its captions are left out.\n`);
    assert.equal(status, 0);
    const second = JSON.parse(stdout) as Trained;
    assert.deepEqual(second.epochs.map(({ epoch }) => epoch), [1, 2]);
    assert.equal(second.epochs[0].trainLoss, first.epochs[0].trainLoss);

    write({ seed: 7 });
    await assert.rejects(trainFromConfig(file), /mine-training holds a training of other settings\. seed: 42 there, 7 now.*--restart/);
    const text = await trainFromConfig(file, { restart: true });
    assert.match(text, /1 epochs in .*\nbest epoch 1: .*\ntest: Bleu_1 [^]*\nnpx captioning caption PHOTO --model .*mine\n/);
    assert.match(text, /captioning serve .*mine\n$/);

    writeFileSync(join(photos, 'note.png'), 'no picture');
    const pictures = [basename(records[0].image), 'note.png'].map((name) => join(photos, name));
    const captions = captioning('caption', ...pictures, '--model', join(folder, 'mine'), '--num-beams', '2', '--json');
    assert.equal(captions.status, 1);
    assert.match(captions.stderr, /^captioning: .*note\.png/);
    const rows = JSON.parse(captions.stdout) as { image: string; caption?: string; error?: string }[];
    assert.equal(rows.length, 2);
    assert.equal(typeof rows[0].caption, 'string');
    assert.match(String(rows[1].error), /note\.png/);
  });

  it('names the key that is wrong', async () => {
    const refused = async (changes: object, message: RegExp) => {
      write(changes);
      await assert.rejects(trainFromConfig(file), message);
    };
    await refused({ epoch: 3 }, /config\.json: epoch: unknown; settings are images, captions, output, model/);
    await refused({ epochs: '3' }, /config\.json: epochs: .*expected number/);
    await refused({ model: 'gru' }, /config\.json: model: .*"attention-gru"\|"attention-lstm"\|"transformer"/);
    await refused({ decoder: { numHeads: 2 } }, /decoder\.numHeads: attention-gru has no such setting; it has embedSize, hiddenSize/);
    await refused({ decoder: { hiddenSize: 'big' } }, /decoder\.hiddenSize: expected a number such as 256/);
    const uneven = { model: 'transformer', decoder: { hiddenSize: 100, numHeads: 3 } };
    await refused(uneven, /decoder\.hiddenSize: 100 does not divide into 3 heads: choose a multiple of numHeads/);
    writeFileSync(join(folder, 'blank.csv'), `image,caption\n${basename(records[0].image)},\n`);
    await refused({ captions: 'blank.csv' }, /blank\.csv: no row has a picture and a caption, the first: .*the caption of .* is empty/);
    writeFileSync(join(folder, 'bare.csv'), 'image,caption\n');
    await refused({ captions: 'bare.csv' }, /bare\.csv: no row has a picture and a caption under its header/);
    await refused({ validationShare: 0.6, testShare: 0.6 }, /testShare: nothing is left to train on/);
    await refused({ captions: 'none.csv' }, /none\.csv: there is no such file/);
    await refused({ output: '.' }, /output: .* holds something else than a captioner/);
    assert.ok(existsSync(join(folder, 'captions.csv')), 'the folder is as it was');
    cpSync(resolveCheckpoint('mobilenet_v2-scenes'), join(folder, 'eyes'), { recursive: true });
    write({ encoder: 'eyes' });
    assert.equal(readOwnCaptionerConfig(file).encoder, join(folder, 'eyes'), 'a folder beside the settings');
    writeFileSync(file, '{"images": "a", "images": "b"}');
    await assert.rejects(trainFromConfig(file), /config\.json: images: the key is there twice/);
  });

  it('ends with 2 when the command line is wrong, with 1 when the work fails', () => {
    const greedy = ['--model', 'x', '--num-beams', '0'];
    for (const args of [['caption', 'a.jpg'], ['caption', '--model', 'x'], ['caption', 'a.jpg', ...greedy], ['train']]) {
      assert.equal(captioning(...args).status, 2, args.join(' '));
    }
    const missing = captioning('caption', 'a.jpg', '--model', join(folder, 'nothing'));
    assert.deepEqual([missing.status, missing.stdout], [1, '']);
    assert.match(missing.stderr, /^captioning: There is no folder .*nothing/);
    assert.match(captioning('train', '--help').stdout, /"images": "photos"/);
  });
});
