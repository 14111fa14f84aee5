/** Grading of a few notebooks made here. What runs a kernel needs .venv (npm run setup). */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kubernetesJobs, slurmScripts } from '../../scripts/grade/cluster';
import { writeReport } from '../../scripts/grade/report';
import { csvReport } from '../../scripts/grade/report-csv';
import { htmlReport } from '../../scripts/grade/report-html';
import { junitReport } from '../../scripts/grade/report-junit';
import type { Row } from '../../scripts/grade/rows';
import { defaultJobs, gradeWork } from '../../scripts/grade/grade-work';
import { scoresOf } from '../../scripts/grade/scores';
import { clearedNotebook, findSubmissions, parseSubmission } from '../../scripts/grade/submissions';
import { Work, type Result } from '../../scripts/grade/work';
import { python, root } from '../../scripts/notebooks/environment';
import type { Notebook, NotebookCell, Output } from '../../scripts/notebooks/notebook-file';

const stdout = (text: string): Output => ({ output_type: 'stream', name: 'stdout', text });
const cell = (source: string, outputs: Output[] = [], tags: string[] = []): NotebookCell =>
  ({ cell_type: 'code', id: 'x', source, outputs, metadata: { tags }, execution_count: 7 });
const book = (...cells: NotebookCell[]): Notebook => ({ cells, metadata: { widgets: { state: 1 } }, nbformat: 4, nbformat_minor: 5 });
const EVIL = '=cmd|\' /C calc\'!A0 <script>alert("1")</script> \u0007]]>';
const settings = { timeout: 2, memory: 3000, profile: 'small' };
const result: Result = {
  settings, status: 'failed', message: EVIL, ran: 1, cells: 2, seconds: 1.23, peak: 5e8, scores: { [EVIL]: -0.5 },
  differences: [EVIL], page: true,
};
const rows: Row[] = [{ name: EVIL, key: 'a'.repeat(24), result, same: [EVIL] }, { name: 'later.ipynb', key: 'b'.repeat(24), same: [] }];

/** Empty for a process that has ended meanwhile. */
function commandOf(pid: string): string {
  try { return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim(); } catch { return ''; }
}

describe('grading', function suite() {
  this.timeout(300_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grade-test-')), at = (...parts: string[]) => path.join(folder, ...parts);
  const hand = (name: string, content: Notebook | string): void => {
    fs.mkdirSync(path.dirname(at('handed in', name)), { recursive: true });
    fs.writeFileSync(at('handed in', name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const command = [require.resolve('tsx/cli'), 'scripts/grade.ts'];
  after(() => fs.rmSync(folder, { recursive: true }));

  it('takes scores from tagged cells only: lines, JSON, objects, percent', () => {
    const shown: Output = { output_type: 'execute_result', data: { 'text/plain': ['{ CIDEr: 0.51,\n', '  "BLEU-4": 2e-1 }'] } };
    const first = cell('', [stdout('accuracy = 50 %\nit took: long\n{"ROUGE L": -1}\n'), shown], ['score']);
    const given = [cell('', [stdout('CIDEr: 9')]), first, cell('', [stdout('CIDEr: 1')], ['score'])];
    assert.deepEqual(scoresOf(book(...given)), { accuracy: 0.5, 'ROUGE L': -1, CIDEr: 1, 'BLEU-4': 0.2 });
  });

  it('hands nothing of the file to the run but sources and tags', () => {
    const { cells, metadata } = clearedNotebook(parseSubmission(JSON.stringify(book(cell('1', [stdout('forged')], ['score'])))));
    const bare = { outputs: [], execution_count: null };
    assert.deepEqual(cells, [{ id: 'cell-01', cell_type: 'code', source: '1', metadata: { tags: ['score'] }, ...bare }]);
    assert.deepEqual(Object.keys(metadata), ['kernelspec']);
    assert.throws(() => parseSubmission('{"nbformat": 3, "cells": []}'), /nbformat: expected a notebook of format 4/);
    assert.throws(() => parseSubmission('PK'), /no notebook: .*JSON/);
    assert.throws(() => parseSubmission(JSON.stringify(book())), /no cell holds code/);
  });

  it('keeps whatever a stranger writes from being read as formula, markup or control character', () => {
    const csv = csvReport(rows), xml = junitReport(rows), html = htmlReport(rows);
    assert.ok(csv.split('\n')[1].startsWith('"\'=cmd|'), csv);
    assert.ok(!/(^|,)"?=/m.test(csv), csv);
    assert.match(csv, /,-0\.5,/);
    assert.match(csv, /^later\.ipynb,not run,/m);
    for (const text of [xml, html]) assert.ok(!text.includes('<script>') && text.includes('&lt;script&gt;'), text);
    assert.ok(!/[\u0000-\u0008]|]]>/.test(xml.replaceAll(']]&gt;', '')), 'XML has no such characters');
    assert.match(xml, /<testsuite name="grade" tests="2" failures="1" errors="0" skipped="1"/);
    execFileSync('python3', ['-c', 'import sys, xml.etree.ElementTree as tree; tree.fromstring(sys.stdin.buffer.read())'], { input: xml });
  });

  it('runs as many at a time as cores and memory allow', () => {
    assert.deepEqual([defaultJobs(6000, 8, 64e9), defaultJobs(6000, 2, 64e9), defaultJobs(6000, 8, 4e9)], [8, 2, 1]);
  });

  it('finds notebooks by their place, one of the same bytes once, and writes the jobs for a cluster', () => {
    hand('anna/task 1.ipynb', 'no notebook');
    hand('ben/task 1.ipynb', 'no notebook');
    hand('ben/.ipynb_checkpoints/task 1.ipynb', 'left out');
    hand('ø "x" $(touch pwned)\'.ipynb', 'another');
    fs.symlinkSync('/etc/hostname', at('handed in', 'link.ipynb'));
    const names = findSubmissions([at('handed in')]).map(({ name }) => name);
    assert.deepEqual(names, ['anna/task 1.ipynb', 'ben/task 1.ipynb', 'ø "x" $(touch pwned)\'.ipynb']);
    const work = Work.plan(at('cluster it\'s'), [at('handed in')], settings);
    assert.equal(work.keys.length, 2);
    const { array } = slurmScripts(work, { shards: 2, jobs: 1 });
    assert.match(array, /#SBATCH --array=1-2\n[^]*--shard "\$SLURM_ARRAY_TASK_ID\/2" --jobs 1 '.*cluster it'\\''s'\n$/);
    execFileSync('bash', ['-n'], { input: array });
    const yaml = kubernetesJobs(work, { shards: 3, jobs: 2, image: 'image:1', claim: 'volume' }).array;
    assert.match(yaml, /completionMode: Indexed\n {2}completions: 3\n[^]*JOB_COMPLETION_INDEX \+ 1\)\)\/3/);
  });

  it('runs shares on their own and merges them; what cannot be read does not stop the others', async () => {
    const output = at('shares'), work = Work.plan(output, [at('handed in')], settings), { signal } = new AbortController();
    const merged = (): string => {
      writeReport(Work.open(output));
      return fs.readFileSync(path.join(output, 'report', 'results.csv'), 'utf8');
    };
    assert.equal(await gradeWork(work, { shard: { index: 2, count: 2 }, signal }), true);
    assert.match(merged(), /,not run,/);
    assert.equal(await gradeWork(work, { shard: { index: 1, count: 2 }, signal }), true);
    assert.match(merged(), /anna\/task 1\.ipynb,invalid,"?no notebook[^\n]*,ben\/task 1\.ipynb,/);
    const ready = fs.statSync(path.join(output, 'results', `${work.keys[0]}.json`)).mtimeMs;
    assert.equal(await gradeWork(work, { signal }), true);
    assert.equal(fs.statSync(path.join(output, 'results', `${work.keys[0]}.json`)).mtimeMs, ready, 'what is done is left alone');
    const wrong = spawnSync(process.execPath, [...command, 'work', output, '--shard', '3/2'], { cwd: root, encoding: 'utf8' });
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
  });

  it('runs notebooks under their own conditions, tells what differs, and goes on after a kill', async function run() {
    if (!fs.existsSync(python)) return this.skip();
    fs.rmSync(at('handed in'), { recursive: true, force: true });
    const home = 'require("node:os").homedir().replace(/home$/, "")';
    const secret = `console.log(process.env.GRADE_SECRET, process.cwd().startsWith(${home}));`;
    // Its parent, its session and its environment tell nothing of the notebook.
    const seconds = 1e6 + process.pid, daemon = `{ env: {}, detached: true, stdio: "ignore" }`;
    const hide = `require("node:child_process").spawn("/bin/sh", ["-c", "sleep ${seconds} &"], ${daemon}).unref();`;
    hand('eva/task.ipynb', book(
      cell(`${secret}\n${hide}`, [stdout('undefined true\n')]),
      cell('console.log("took 3.2 s");\nconsole.log(6 * 7);', [stdout('took 9 s\n41\n')]),
      cell('console.log("CIDEr: 0.5");', [stdout('CIDEr: 0.5\n')], ['score']),
    ));
    const late = cell('console.log("CIDEr: 99")', [stdout('CIDEr: 99\n')], ['score']);
    const forged = 'require("node:fs").writeSync(1, \'{"event": "finished"}\\n\');';
    hand('otto/task.ipynb', book(cell(`${forged}\n${hide}`), cell('throw new Error("<b>no</b>");'), late));
    const args = [...command, '--output', at('run'), '--timeout', '2', '--memory', '3000', '--jobs', '2', at('handed in')];
    const env = { ...process.env, GRADE_SECRET: 'token' };
    // Killed as soon as one is done, while the other may still run.
    const killed = spawn(process.execPath, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) => { killed.stdout.once('data', () => resolve()); killed.once('exit', () => resolve()); });
    try { process.kill(-killed.pid!, 'SIGKILL'); } catch { /* it was done */ }
    const { status, stdout: text, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    const running = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name) === `sleep ${seconds}`);
    assert.deepEqual(running, [], 'what notebooks leave behind is ended, also when the grader was killed');
    assert.match(text, /1 passed, 1 failed|1 failed, 1 passed/);
    const work = Work.open(at('run')), [eva, otto] = work.submissions.map(({ key }) => work.result(key)!);
    assert.deepEqual([eva.status, eva.message, eva.ran, eva.cells, eva.scores], ['passed', '', 3, 3, { CIDEr: 0.5 }]);
    assert.equal(eva.differences.length, 1);
    assert.match(eva.differences[0], /code cell 2: stdout: .*41.* became .*42/);
    assert.ok(eva.peak > 50e6 && eva.peak < 3e9, `${eva.peak} bytes`);
    assert.deepEqual([otto.status, otto.message, otto.ran, otto.cells, otto.scores], ['failed', 'code cell 2: Error: <b>no</b>', 2, 3, {}]);
    for (const { key } of work.submissions) {
      assert.match(fs.readFileSync(path.join(work.pages, `${key}.html`), 'utf8'), /script-src 'none'/);
    }
    assert.match(fs.readFileSync(path.join(work.report, 'index.html'), 'utf8'), /eva\/task\.ipynb<\/a>/);
  });
});
