/** Grading on a cluster: the Kubernetes Job's own commands, run here one by one, and a real job array where Slurm answers. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { kubernetesJobs, slurmScripts } from '../../scripts/grade/cluster';
import { Work } from '../../scripts/grade/work';
import { python, root } from '../../scripts/notebooks/environment';

interface Job {
  spec: {
    completions?: number;
    template: { spec: {
      containers: { command: string[]; volumeMounts: { name: string; mountPath: string }[] }[];
      volumes: { name: string; persistentVolumeClaim: { claimName: string } }[];
    } };
  };
}

const cell = (source: string) =>
  ({ cell_type: 'code', id: 'x', source, metadata: { tags: ['score'] }, outputs: [], execution_count: null });
const notebook = (...sources: string[]): string =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: sources.map(cell) });

describe('grading on a cluster', function suite() {
  this.timeout(300_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cluster-test-')), at = (...parts: string[]) => path.join(folder, ...parts);
  const settings = { timeout: 2, memory: 3000, profile: 'small' };
  const results = (output: string): string[] => fs.readFileSync(path.join(output, 'report', 'results.csv'), 'utf8').split('\n');
  const plan = (output: string, books: Record<string, string>): Work => {
    fs.rmSync(at('handed in'), { recursive: true, force: true });
    fs.mkdirSync(at('handed in'));
    for (const [name, text] of Object.entries(books)) fs.writeFileSync(at('handed in', name), text);
    return Work.plan(output, [at('handed in')], settings);
  };
  after(() => fs.rmSync(folder, { recursive: true }));

  it('runs every index of the Kubernetes Job, one of them killed on the way and started again, and merges', async function run() {
    if (!fs.existsSync(python)) return this.skip();
    // Waits for ever the first time; afterwards the file is there.
    const flag = JSON.stringify(at('started'));
    const waiting = `const fs = require("node:fs");\nif (!fs.existsSync(${flag})) { fs.writeFileSync(${flag}, ""); for (;;); }`;
    const output = at('volume'), work = plan(output, { 'slow.ipynb': notebook(waiting, 'console.log("CIDEr: 0.5")'), 'bad.ipynb': 'none' });
    const slow = work.submissions.find(({ name }) => name === 'slow.ipynb')!.key, shards = work.keys.length;
    const yaml = kubernetesJobs(work, { shards, jobs: 1, image: 'image:1', claim: 'grading-claim' });
    const parse = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
    const [array, merge] = [yaml.array, yaml.merge].map((text) =>
      JSON.parse(execFileSync(python, ['-c', parse], { input: text, encoding: 'utf8' })) as Job);
    assert.equal(array.spec.completions, shards);
    const { containers: [{ volumeMounts: [mount] }], volumes: [volume] } = array.spec.template.spec;
    assert.deepEqual([volume.name, volume.persistentVolumeClaim.claimName], [mount.name, 'grading-claim']);
    /** The container's command with the volume's folder in place of where it is mounted. */
    const start = (job: Job, index?: number): ChildProcess => {
      const [program, ...args] = job.spec.template.spec.containers[0].command.map((part) => part.replaceAll(mount.mountPath, output));
      const env = { ...process.env, ...(index === undefined ? {} : { JOB_COMPLETION_INDEX: String(index) }) };
      return spawn(program, args, { cwd: root, env, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
    };
    const killed = start(array, work.keys.indexOf(slow)), ended = once(killed, 'close');
    while (!fs.existsSync(at('started')) && killed.exitCode === null) await setTimeout(50);
    process.kill(-killed.pid!, 'SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.equal(work.result(slow), undefined, 'what was cut off has no result');
    for (const index of work.keys.keys()) assert.deepEqual(await once(start(array, index), 'close'), [0, null], `index ${index}`);
    assert.deepEqual(await once(start(merge), 'close'), [0, null]);
    const [, bad, passed] = results(output);
    assert.match(bad, /^bad\.ipynb,invalid,/);
    assert.match(passed, /^slow\.ipynb,passed,,2,2,.*,0\.5,/);
  });

  it('runs as a job array, and is merged after it, where Slurm answers', async function run() {
    if (spawnSync('sinfo', ['--noheader'], { timeout: 5000 }).status !== 0) {
      this.test!.title += ' (no Slurm answers here)';
      return this.skip();
    }
    const output = at('slurm'), work = plan(output, { 'a.ipynb': 'none', 'b.ipynb': 'nothing' });
    const { array, merge } = slurmScripts(work, { shards: 2, jobs: 1 });
    fs.mkdirSync(path.join(output, 'logs'));
    const submit = (script: string, ...options: string[]): string =>
      execFileSync('sbatch', ['--parsable', ...options], { input: script, encoding: 'utf8', timeout: 200_000 }).trim();
    const id = submit(array);
    submit(merge, '--wait', `--dependency=afterany:${id}`);
    const rows = results(output).slice(1, 3).map((line) => line.split(',').slice(0, 2));
    assert.deepEqual(rows, [['a.ipynb', 'invalid'], ['b.ipynb', 'invalid']]);
  });
});
