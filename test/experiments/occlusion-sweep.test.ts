import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CaptionDataset, readCaptionSources } from '../../lib/datasets';
import { OcclusionSweepOptions, sweepOcclusion, SweepProgress, sweepSize } from '../../lib/experiments/occlusion-sweep';
import { mergeOcclusionSweep } from '../../lib/experiments/sweep-shards';
import { decodeImage, occlude } from '../../lib/images';
import { temporaryFolder } from '../datasets/temporary-folder';
import { FakeCaptioner } from './fake-captioner';
import { writeSweepDataset } from './sweep-dataset';

describe('sweepOcclusion', function sweep() {
  this.timeout(120_000);
  const temporary = temporaryFolder();
  let dataset: CaptionDataset;
  beforeEach(async () => {
    mkdirSync(join(temporary.path, 'pictures'));
    dataset = await writeSweepDataset(join(temporary.path, 'pictures'), 11);
  });
  const out = (name = 'out') => join(temporary.path, name);
  const csv = (name = 'out') => readFileSync(join(out(name), 'captions.csv'), 'utf8');
  const fakes = () => ({ SmolVLM: { captioner: new FakeCaptioner('SmolVLM') }, Custom: { captioner: new FakeCaptioner('Custom') } });
  const run = (change: Partial<OcclusionSweepOptions> = {}) =>
    sweepOcclusion({ dataset, models: fakes(), folder: out(), imagesPerBatch: 2, ...change });

  it('captions every picture with every model at every level, and writes the table', async () => {
    const models = fakes();
    const progress: SweepProgress[] = [];
    const { file, rows } = await run({ models, onProgress: (news) => progress.push(news) });
    assert.equal(file, join(out(), 'captions.csv'));
    assert.deepEqual(readCaptionSources(file), rows);
    const pairs = ['SmolVLM', 'Custom'].flatMap((model) => [0, 10, 50, 80].map((level) => [model, level]));
    const expected = dataset.records.flatMap(({ id }) => pairs.map((pair) => [id, ...pair]));
    assert.deepEqual(rows!.map((row) => [row.imageFilename, row.sourceModel, row.occlusionLevel]), expected);
    assert.ok(rows!.every((row) => row.originalCaption === `Picture ${row.imageFilename}.`), 'the first caption is the original');
    assert.deepEqual(models.SmolVLM.captioner.batches, [8, 8, 8, 8, 8, 4]);
    assert.equal(models.SmolVLM.captioner.disposed, 0, 'what the caller made the caller disposes of');
    assert.equal(sweepSize({ dataset, models }), rows!.length);
    assert.equal(progress.reduce((sum, { added }) => sum + added, 0), rows!.length);
    assert.deepEqual(progress.at(-1), { model: 'Custom', added: 4, done: rows!.length, total: rows!.length });
  });

  it('hands over the pictures occluded by seed and file name', async () => {
    const models = { Custom: { captioner: new FakeCaptioner('Custom') } };
    const occlusion = { seed: 7, fill: 'mean', grid: [4, 3] } as const;
    await run({ models, levels: [50, 0], occlusion });
    const [, second] = dataset.records;
    const picture = await decodeImage(second.image);
    assert.deepEqual(models.Custom.captioner.seen.slice(2, 4), [occlude(picture, 50, { ...occlusion, name: second.id }), picture]);
  });

  it('does nothing more once it is done, not even load a model', async () => {
    await run();
    const before = csv();
    rmSync(join(out(), 'captions.csv'));
    const models = Object.fromEntries(['SmolVLM', 'Custom'].map((name) => [name, { captioner: () => assert.fail('loaded') }]));
    const { rows } = await run({ models });
    assert.equal(rows!.length, 88);
    assert.equal(csv(), before);
  });

  it('loads a model when its turn comes and disposes of it', async () => {
    const loaded: FakeCaptioner[] = [];
    const lazy = (name: string) => ({
      captioner: async () => {
        assert.ok(loaded.every((captioner) => captioner.disposed === 1), 'one at a time');
        loaded.push(new FakeCaptioner(name));
        return loaded.at(-1)!;
      },
    });
    await run({ models: { SmolVLM: lazy('SmolVLM'), Custom: lazy('Custom') } });
    assert.deepEqual(loaded.map(({ name, disposed }) => [name, disposed]), [['SmolVLM', 1], ['Custom', 1]]);
  });

  it('ends with the same bytes after kill -9 at any moment', async function kill() {
    await run({ folder: out('whole') });
    const command = ['-r', 'tsx/cjs', join(__dirname, 'sweep-process.ts'), join(temporary.path, 'pictures'), out()];
    const start = () => spawn(process.execPath, command, { stdio: 'ignore' });
    const journal = join(out(), 'shard-1-of-1.jsonl');
    const lines = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0);
    let kills = 0;
    for (let target = 1; lines() < 23; target = lines() + 6) {
      const child = start();
      const ended = new Promise((resolve) => child.on('exit', resolve));
      while (lines() < target && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 3));
      // Some way into the next batch.
      await new Promise((resolve) => setTimeout(resolve, (kills * 7) % 16));
      if (child.kill('SIGKILL')) kills++;
      await ended;
    }
    assert.ok(kills >= 3, `${kills} kills`);
    await run();
    assert.equal(csv(), csv('whole'));
  });

  it('goes on from a line that was cut off, within a batch too', async () => {
    await run({ folder: out('whole') });
    const journal = readFileSync(join(out('whole'), 'shard-1-of-1.jsonl'));
    const newlines = [...journal.keys()].filter((at) => journal[at] === 10);
    const [first, , , fourth] = newlines;
    for (const bytes of [0, 5, first, first + 1, fourth - 1, fourth, fourth + 1, newlines[8] + 30, journal.length - 1]) {
      rmSync(out(), { recursive: true, force: true });
      cpSync(out('whole'), out(), { recursive: true });
      truncateSync(join(out(), 'shard-1-of-1.jsonl'), bytes);
      await run();
      assert.equal(csv(), csv('whole'), `cut at ${bytes}`);
      assert.deepEqual(readFileSync(join(out(), 'shard-1-of-1.jsonl')), journal);
    }
  });

  it('in shards merges to the same bytes, in whatever order they run', async () => {
    await run({ folder: out('whole') });
    for (const shard of ['3/3', '1/3', '2/3']) {
      const { file, rows } = await run({ shard });
      assert.equal(file, join(out(), `shard-${shard.replace('/', '-of-')}.jsonl`));
      assert.equal(rows, undefined);
    }
    assert.ok(!existsSync(join(out(), 'captions.csv')));
    assert.equal(mergeOcclusionSweep(out()).rows.length, 88);
    assert.equal(csv(), csv('whole'));
    for (let i = 1; i <= 20; i++) await run({ folder: out('many'), shard: `${i}/20` });
    mergeOcclusionSweep(out('many'));
    assert.equal(csv('many'), csv('whole'), 'more shards than batches');
  });

  it('merges nothing that is missing, double or of another sweep', async () => {
    assert.throws(() => mergeOcclusionSweep(temporary.path), /holds no part of a sweep: expected shard-1-of-1\.jsonl/);
    for (const shard of ['1/2', '2/2']) await run({ shard });
    const first = join(out(), 'shard-1-of-2.jsonl'), second = join(out(), 'shard-2-of-2.jsonl');
    const whole = readFileSync(second, 'utf8');
    const refused = (message: RegExp) => {
      assert.throws(() => mergeOcclusionSweep(out()), message);
      assert.ok(!existsSync(join(out(), 'captions.csv')));
    };
    rmSync(second);
    refused(/of 2 shards 2 is missing\. Run the sweep with the shard 2\/2\.$/);
    writeFileSync(second, whole.split('\n').slice(0, -2).join('\n'));
    refused(/not finished: 2 of 22 are missing, the first is picture 7 of the data set with Custom/);
    writeFileSync(second, '');
    refused(/shard-2-of-2\.jsonl is empty/);
    const line = readFileSync(first, 'utf8').split('\n')[1];
    writeFileSync(second, `${whole}${line}\n`);
    refused(/000\.png has captions of SmolVLM both in .*shard-1-of-2\.jsonl and in .*shard-2-of-2\.jsonl/);
    writeFileSync(second, whole.replace('"seed":42', '"seed":43'));
    refused(/1-of-2\.jsonl and .*2-of-2\.jsonl were started with different settings\. occlusion: .*42.* there, .*43.* now/);
    writeFileSync(second, whole.replace('Picture 002.png.', 'Picture 003.png.'));
    refused(/do not hold the pictures that their first lines speak of/);
    writeFileSync(second, whole);
    renameSync(second, join(out(), 'shard-2-of-3.jsonl'));
    refused(/holds parts of sweeps in 2 and in 3 shards/);
  });

  it('refuses to go on with other settings, or begins anew if told so', async () => {
    await run({ models: { Custom: { captioner: new FakeCaptioner('Custom'), version: 'a', options: { numBeams: 2 } } } });
    const change = (more: Partial<OcclusionSweepOptions>, model = {}) =>
      run({ models: { Custom: { captioner: new FakeCaptioner('Custom'), version: 'a', options: { numBeams: 2 }, ...model } }, ...more });
    await change({});
    await assert.rejects(change({}, { version: 'b' }), /-of-1\.jsonl was started with other settings\. .*"a"} there, .*"b"} now\. Use another folder/);
    await assert.rejects(change({}, { options: { numBeams: 3 } }), /model Custom: /);
    await assert.rejects(change({ occlusion: { fill: 'blur' } }), /occlusion: /);
    await assert.rejects(change({ dataset: dataset.take(5) }), /images: 11 there, 5 now; digest: /);
    await assert.rejects(change({ imagesPerBatch: 4 }), /imagesPerBatch: 2 there, 4 now/);
    assert.equal(readCaptionSources(join(out(), 'captions.csv')).length, 44, 'the old table is left alone');
    const { rows } = await change({ dataset: dataset.take(5), restart: true });
    assert.equal(rows!.length, 20);
  });

  it('stops after the batch in hand when told to, and keeps what it has', async () => {
    await run({ folder: out('whole') });
    const controller = new AbortController();
    const onProgress = ({ done }: SweepProgress) => { if (done >= 16) controller.abort(new Error('enough')); };
    await assert.rejects(run({ onProgress, signal: controller.signal }), /enough/);
    assert.equal(readFileSync(join(out(), 'shard-1-of-1.jsonl'), 'utf8').split('\n').length, 1 + 4 + 1);
    const first: SweepProgress[] = [];
    await run({ onProgress: (news) => first.push(news) });
    assert.deepEqual([first[0].added, first[0].done], [16, 16]);
    assert.equal(csv(), csv('whole'));
  });

  it('names the picture that cannot be read, and a damaged journal line', async () => {
    writeFileSync(dataset.records[4].image, 'no picture');
    await assert.rejects(run(), /004\.png/);
    const journal = join(out(), 'shard-1-of-1.jsonl');
    assert.equal(readFileSync(journal, 'utf8').split('\n').length, 1 + 4 + 1, 'what came before is kept');
    const line = readFileSync(journal, 'utf8').split('\n')[1];
    appendFileSync(journal, `${line}\n`);
    await assert.rejects(run(), /shard-1-of-1\.jsonl:6: picture 0 has captions of 'SmolVLM' already, in line 2\. Delete/);
    writeFileSync(journal, readFileSync(journal, 'utf8').replace(`${line}\n`, '{"model":\n'));
    await assert.rejects(run(), /shard-1-of-1\.jsonl:2: this is not JSON/);
  });

  it('says what is wrong with its options before it does anything', async () => {
    const twin = new CaptionDataset('twins', [...dataset.records, { ...dataset.records[0], id: 'other', image: '/elsewhere/000.png' }]);
    await assert.rejects(run({ dataset: twin }), /000\.png and \/elsewhere\/000\.png have the same file name/);
    await assert.rejects(run({ models: {} }), /there are 0 models and 11 pictures of small pictures/);
    await assert.rejects(run({ dataset: dataset.take(0) }), /2 models and 0 pictures/);
    await assert.rejects(run({ levels: [0, 12.5] }), /levels are 0, 12\.5; expected different whole numbers/);
    await assert.rejects(run({ levels: [10, 10] }), /levels are 10, 10/);
    await assert.rejects(run({ imagesPerBatch: 0 }), /imagesPerBatch is 0/);
    await assert.rejects(run({ occlusion: { fill: 'red' as never } }), /fill is "red"/);
    for (const shard of ['0/2', '3/2', '2', 'a/b', '1/0']) await assert.rejects(run({ shard }), /expected i\/n with i from 1 to n/);
    assert.ok(!existsSync(out()) || readdirSync(out()).length === 0);
  });
});
