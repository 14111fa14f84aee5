import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(__dirname, '../..');

interface Fact { value: string; state: 'ok' | 'note' | 'broken'; remedy?: string }
interface Report { ok: boolean; machine: Record<string, Fact>; checkout: Record<string, Fact>; selfcheck: Record<string, Fact> }

function doctor(folder: string, env: Record<string, string> = {}): { status: number | null; report: Report } {
  const { status, stdout } = spawnSync(process.execPath, [path.join(folder, 'scripts', 'doctor.mjs'), '--json'],
    { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status, report: JSON.parse(stdout) as Report };
}

describe('doctor', () => {
  it('computes, differentiates, decodes and finds WordNet here', () => {
    const { report } = doctor(root);
    assert.match(report.selfcheck.engine.value, /^tfjs-node-gpu 4\.22\.0 on TensorFlow 2\./);
    assert.match(report.selfcheck['matrix product'].value, /^right, \d+ GFLOP\/s/);
    for (const name of ['engine', 'matrix product', 'gradient', 'pictures', 'WordNet']) assert.equal(report.selfcheck[name].state, 'ok', report.selfcheck[name].value);
    for (const name of ['Node', 'Python', 'JupyterLab', 'TypeScript', 'tslab', 'kernel']) assert.equal(report.checkout[name].state, 'ok', report.checkout[name].value);
  }).timeout(60_000);

  it('ends with 1 and the variable\'s name when FLICKR8K_DIR is wrong', () => {
    const { status, report } = doctor(root, { FLICKR8K_DIR: '/nowhere' });
    assert.equal(status, 1);
    assert.equal(report.ok, false);
    assert.match(report.checkout.Flickr8k.remedy ?? '', /FLICKR8K_DIR/);
  }).timeout(60_000);

  it('says what to run where nothing is set up', () => {
    const bare = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-'));
    try {
      for (const part of ['scripts/doctor.mjs', 'scripts/doctor', 'scripts/setup', 'package.json', 'package-lock.json', 'tsconfig.base.json', 'lib/package.json']) {
        fs.cpSync(path.join(root, part), path.join(bare, part), { recursive: true });
      }
      const { status, report } = doctor(bare);
      assert.equal(status, 1);
      assert.match(report.checkout['set-up'].value, /^to do: npm packages, Python environment with JupyterLab, TensorFlow's libraries/);
      assert.equal(report.selfcheck.engine.remedy, 'run `npm run setup`');
    } finally {
      fs.rmSync(bare, { recursive: true, force: true });
    }
  }).timeout(60_000);

  it('reads matrix and bf16 instructions from the processor\'s flags', async () => {
    const { simd } = await import(pathToFileURL(path.join(root, 'scripts/doctor/machine.mjs')).href) as { simd(text: string, arch: string): { simd: string[]; bf16: string[] } };
    assert.deepEqual(simd('processor: 0\nflags\t\t: fpu avx avx2 fma avx512f avx512_bf16 amx_tile\n', 'x64'), { simd: ['AVX', 'AVX2', 'FMA', 'AVX-512', 'AMX'], bf16: ['avx512_bf16'] });
    assert.deepEqual(simd('Features\t: fp asimd sve bf16\n', 'arm64'), { simd: ['NEON', 'SVE'], bf16: ['bf16'] });
    assert.deepEqual(simd('', 'x64'), { simd: [], bf16: [] });
  });
});
