import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const MAIN = resolve(__dirname, '../../lib/cli/main.ts');
const fixture = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/scores.json'), 'utf8')) as {
  references: Record<string, string[]>;
  candidates: Record<string, string>;
  scores: Record<string, number[]>;
};
const NAMES = ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'ROUGE_L', 'CIDEr', 'CIDErD', 'METEOR'];

/** Run `captioning …` from source, as lib/bin/captioning.cjs does from lib/dist. */
function captioning(...args: string[]) {
  const script = `require(${JSON.stringify(MAIN)}).main(process.argv).then(() => {
    const heavy = Object.keys(require.cache).filter((file) => /tensorflow|tfjs|sharp/.test(file));
    if (heavy.length > 0) process.stderr.write('loaded ' + heavy[0]);
  })`;
  const run = spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), '-e', script, 'captioning', ...args], { encoding: 'utf8' });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

describe('captioning evaluate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evaluate-'));
  const references = join(folder, 'refs.json');
  const candidates = join(folder, 'cands.json');
  const ids = Object.keys(fixture.references);
  writeFileSync(references, JSON.stringify({
    images: ids.map((id) => ({ id })),
    annotations: ids.flatMap((id) => fixture.references[id].map((caption, i) => ({ image_id: id, id: i, caption }))),
  }));
  writeFileSync(candidates, gzipSync(JSON.stringify(ids.map((id) => ({ image_id: id, caption: fixture.candidates[id] })))));
  after(() => rmSync(folder, { recursive: true }));

  it('prints with --json the scores of corpus and images and nothing else', () => {
    const { status, stdout, stderr } = captioning('evaluate', '--references', references, '--candidates', candidates, '--json');
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const result = JSON.parse(stdout) as { corpus: Record<string, number>; images: Record<string, Record<string, number>> };
    assert.deepEqual(Object.keys(result), ['corpus', 'images']);
    assert.deepEqual(Object.keys(result.corpus), NAMES);
    assert.deepEqual(Object.keys(result.images).sort(), [...ids].sort());
    for (const name of NAMES) {
      const got = [result.corpus[name], ...ids.map((id) => result.images[id][name])];
      got.forEach((value, i) => assert.ok(Math.abs(value - fixture.scores[name][i]) <= 1e-6, `${name} ${i}: ${value}`));
    }
  });

  it('prints a table otherwise, with a row an image on request', () => {
    const short = captioning('evaluate', '--references', references, '--candidates', candidates);
    assert.equal(short.status, 0);
    assert.match(short.stdout, new RegExp(`^${ids.length} images\n`));
    assert.ok(short.stdout.includes(`Bleu_4   ${fixture.scores.Bleu_4[0].toFixed(4)}`));
    const long = captioning('evaluate', '--references', references, '--candidates', candidates, '--per-image');
    assert.ok(long.stdout.endsWith(short.stdout));
    assert.equal(long.stdout.split('\n').length, short.stdout.split('\n').length + ids.length + 2);
  });

  it('warns on standard error when one image makes CIDEr meaningless', () => {
    writeFileSync(join(folder, 'one-refs.json'), '{"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "a dog"}]}');
    writeFileSync(join(folder, 'one.json'), '[{"image_id": 1, "caption": "a dog"}]');
    const { status, stdout, stderr } = captioning('evaluate', '--references', join(folder, 'one-refs.json'), '--candidates', join(folder, 'one.json'), '--json');
    assert.equal(status, 0);
    assert.match(stderr, /^captioning: CIDEr weighs words by how few images use them/);
    assert.equal(JSON.parse(stdout).corpus.CIDEr, 0);
  });

  it('ends with 1 and a message when a file is wrong, and prints nothing on standard output', () => {
    writeFileSync(join(folder, 'twice.json'), JSON.stringify([...ids, ids[3]].map((id) => ({ image_id: id, caption: 'a dog' }))));
    for (const [file, message] of [[join(folder, 'none.json'), 'there is no such file'], [join(folder, 'twice.json'), `image ${ids[3]} has a candidate already`]]) {
      const { status, stdout, stderr } = captioning('evaluate', '--references', references, '--candidates', file, '--json');
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
      assert.ok(stderr.startsWith(`captioning: ${file}: `) && stderr.includes(message), stderr);
    }
    const wrong = captioning('evaluate', '--references', references, '--candidates', candidates, '--wordnet', folder);
    assert.deepEqual({ status: wrong.status, stdout: wrong.stdout }, { status: 1, stdout: '' });
    assert.match(wrong.stderr, /index\.noun is missing/);
  });

  it('ends with 2 when the command line is wrong', () => {
    for (const args of [['evaluate', '--json'], ['evaluate', '--references'], ['evaluat'], ['evaluate', '--referenzes', 'x'], []]) {
      const { status, stdout, stderr } = captioning(...args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
      assert.notEqual(stderr, '');
    }
  });

  it('explains itself', () => {
    const { status, stdout } = captioning('evaluate', '--help');
    assert.equal(status, 0);
    assert.match(stdout, /--references <file>/);
  });
});
