import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { occlude } from '../../lib/cli/occlude';
import { readCaptionSources } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import { buildCaptioner, loadDataset, loadEncoder, mobileNetGru } from '../../lib/experiments';

const MAIN = resolve(__dirname, '../../lib/cli/main.ts');

/** Run `captioning occlude …` from source, in a process of its own. */
function captioning(...args: string[]) {
  const script = `require(${JSON.stringify(MAIN)}).main(process.argv)`;
  const command = ['--require', require.resolve('tsx/cjs'), '-e', script, 'captioning', 'occlude', ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', env: { ...process.env, PROFILE: 'small' } });
}

describe('captioning occlude', function suite() {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'occlude-'));
  const saved = join(folder, 'captioner');
  const model = [`Custom=${saved}`];
  const at = (name: string) => join(folder, name);
  const table = (name: string) => readFileSync(join(at(name), 'captions.csv'), 'utf8');
  before(() => {
    const decoder = { ...mobileNetGru.small.decoder, embedSize: 16, hiddenSize: 16 };
    const config = { ...mobileNetGru.small, decoder };
    const captioner = buildCaptioner(config, loadDataset(config), loadEncoder(config), new Random(1));
    captioner.save(saved);
    captioner.dispose();
  });
  after(() => rmSync(folder, { recursive: true }));

  it('captions with a saved captioner, as a whole or in shards, to the same bytes', async () => {
    const tensors = tensorCount();
    const options = { model, limit: 5, batch: 2, levels: [0, 50], numBeams: 2 };
    assert.equal(await occlude({ ...options, folder: at('whole') }), `${join(at('whole'), 'captions.csv')}\n`);
    assert.equal(tensorCount(), tensors);
    const rows = readCaptionSources(join(at('whole'), 'captions.csv'));
    assert.deepEqual([rows.length, rows[0].sourceModel, rows[1].occlusionLevel], [10, 'Custom', 50]);
    assert.ok(rows.every(({ generatedCaption }) => generatedCaption.length > 0));
    for (const shard of ['2/2', '1/2']) assert.match(await occlude({ ...options, folder: at('shards'), shard }), /shard-\d-of-2\.jsonl\n$/);
    const other = occlude({ ...options, folder: at('shards'), shard: '1/2', numBeams: 3 });
    await assert.rejects(other, /started with other settings\. model Custom/);
    await occlude({ folder: at('shards'), merge: true });
    assert.equal(table('shards'), table('whole'));
    await occlude({ ...options, folder: at('gray'), fill: 'mean', seed: 1 });
    assert.notEqual(table('gray'), table('whole'));
  });

  it('prints the file it wrote and nothing else', () => {
    const { status, stdout, stderr } = captioning('--model', ...model, '--limit', '2', '--levels', '0,80', '--folder', at('run'));
    assert.equal(stderr, '');
    assert.deepEqual([status, stdout], [0, `${join(at('run'), 'captions.csv')}\n`]);
    assert.equal(readCaptionSources(join(at('run'), 'captions.csv')).length, 4);
  });

  it('ends with 2 when the command line is wrong, with 1 and what to do when the work fails', async () => {
    const wrong = captioning('--folder', at('x'), '--limit', 'many');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--limit.*Expected a whole number/);
    const missing = captioning('--merge', '--folder', at('nowhere'));
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^captioning: .*holds no part of a sweep/);
    const refused = (change: object, message: RegExp) => assert.rejects(occlude({ model, folder: at('x'), ...change }), message);
    await refused({ model: [] }, /give --model name=folder/);
    await refused({ model: ['Custom'] }, /--model "Custom": expected name=folder/);
    await refused({ model: [...model, ...model] }, /two captioners are called Custom/);
    await refused({ model: [`Custom=${at('x')}`] }, /There is no folder .*x: expected/);
    await refused({ model: [`Custom=${join(saved, 'encoder')}`], limit: 1 }, /encoder (holds a model of type|has no config\.json with)/);
    await refused({ fill: 'red', limit: 1 }, /fill is "red"/);
    assert.ok(!existsSync(join(at('x'), 'captions.csv')));
  });
});
