/** The runner and the kernel together, on small notebooks made here. Needs .venv (npm run setup). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, notebooksFolder, python, pythonEnvironment, root } from '../../scripts/notebooks/environment';
import { textOf, type Notebook, type Output } from '../../scripts/notebooks/notebook-file';

interface Cell { source: string; raises?: boolean }

const notebook = (cells: Cell[]): string => JSON.stringify({
  cells: cells.map(({ source, raises }, i) => ({ cell_type: 'code', id: `c${i + 1}`, source, metadata: raises ? { tags: ['raises-exception'] } : {}, outputs: [], execution_count: null })),
  metadata: { kernelspec: { name: 'tslab', display_name: 'tslab', language: 'typescript' } }, nbformat: 4, nbformat_minor: 5,
});

/** Each cell shows one thing that tslab alone does wrong; the names are those of the tests below. */
const KERNEL: Record<string, Cell> = {
  stack: { raises: true, source: 'function inner(n: number): number {\n  // line 2\n  if (n > 2) throw new RangeError(`too big: ${n}`);\n  return n;\n}\nconst made: number = inner(1);\nconst unmade = inner(3);' },
  declarations: { source: 'console.log(made, typeof inner);' },
  undeclared: { raises: true, source: 'console.log(unmade);' },
  later: { raises: true, source: 'await null;\n\ninner(made + 4);' },
  types: { raises: true, source: 'const ok = 1;\nconst wrong: number = "text";' },
  cause: { raises: true, source: 'throw new Error("outer", { cause: new TypeError("inner reason") });' },
  value: { raises: true, source: 'throw { code: 7 };' },
  stray: { raises: true, source: 'Promise.reject(new Error("nobody waits"));' },
  late: { raises: true, source: 'setTimeout(() => { throw new Error("too late"); }, 20);\nawait new Promise(() => {});' },
  parenthesized: { source: 'console.log(await (Promise.resolve("paren")));' },
  forAwait: { source: 'for await (const k of [1, 2]) console.log("k", k);' },
  flood: { source: 'for (let i = 0; i < 3000; i++) console.log("line", i);' },
  displays: { source: 'import { display } from "tslab";\nfor (let i = 0; i < 700; i++) display.text(String(i));' },
  watched: { source: 'import * as fs from "node:fs";\nfs.writeFileSync("created.ts", ""); fs.rmSync("created.ts");\nawait new Promise((resolve) => setTimeout(resolve, 400));' },
  afterWatched: { source: 'console.log("still works");' },
  promise: { source: 'Promise.resolve("settled")' },
  shown: { source: '({ [Symbol.for("Jupyter.display")]: async () => ({ "text/html": "<b>own</b>" }) })' },
  link: { source: 'import { progress, table } from "captioning";\nconst bar = progress(3, "Steps");\nfor (let i = 0; i < 3; i++) bar.step({ loss: i });\nbar.done();\ntable([{ a: "<i>" }]);' },
  library: { raises: true, source: 'import { lineChart } from "captioning";\nawait lineChart({ a: [1] }, { title: "t", x: "", y: "y" });' },
  measured: { source: 'const measured = [{ name: "x", all: { mass: 3 } }];' },
  destructured: { source: 'console.log(measured.map(({ name, all: { mass } }) => name + mass), (({ all: one }) => one.mass)(measured[0]));' },
  profile: { source: 'console.log(process.env.PROFILE, process.cwd());' },
};

describe('running notebooks', function suite() {
  this.timeout(180_000);
  let folder = '', output = '', statuses: (number | null)[] = [];
  let executed: Notebook;
  const sources: Record<string, string> = {
    'a-kernel': notebook(Object.values(KERNEL)),
    'b-fails': notebook([{ source: 'const fine = 1;' }, { source: '' }, { source: 'const one = 1;\nJSON.parse("{");' }, { source: 'console.log("never")' }]),
    'c-dies': notebook([{ source: 'process.exit(3);' }]),
    'd-hangs': notebook([{ source: 'await new Promise(() => {});' }]),
    'e-large': notebook([{ source: 'console.log("x".repeat(2_100_000));' }]),
  };
  const file = (name: string): string => path.join(folder, `${name}.ipynb`);
  const outputsOf = (name: string): Output[] => executed.cells[Object.keys(KERNEL).indexOf(name)].outputs!;
  const printed = (name: string): string => outputsOf(name).map((o) => textOf(o.text)).join('');
  const errorOf = (name: string): { ename: string; evalue: string; traceback: string[] } => {
    const [error] = outputsOf(name).filter((o) => o.output_type === 'error');
    assert.ok(error, `${name} did not fail`);
    return error as never;
  };

  before(async function run() {
    if (!fs.existsSync(python)) {
      console.warn('      .venv is missing: run `npm run setup` to test notebooks');
      return this.skip();
    }
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'notebooks-run-'));
    for (const [name, text] of Object.entries(sources)) fs.writeFileSync(file(name), text);
    const cli = [require.resolve('tsx/cli'), 'scripts/notebooks.ts', 'run'];
    const run = (names: string[], minutes: string) => new Promise<{ text: string; status: number | null }>((resolve) => {
      const child = spawn(process.execPath, [...cli, '--timeout', minutes, ...names.map(file)], { cwd: root, env: { ...process.env, PROFILE: 'a test' } });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => { text += more; });
      child.on('close', (code) => resolve({ text, status: code }));
    });
    const results = await Promise.all([run(['a-kernel', 'b-fails'], '2'), run(['c-dies', 'e-large'], '2'), run(['d-hangs'], '0.1')]);
    output = results.map(({ text }) => text).join('\n');
    statuses = results.map((result) => result.status);
    executed = JSON.parse(fs.readFileSync(file('a-kernel'), 'utf8')) as Notebook;
  });

  after(() => {
    if (folder) fs.rmSync(folder, { recursive: true });
    for (const name of Object.keys(sources)) fs.rmSync(path.join(buildFolder, 'notebooks', `${name}.ipynb`), { force: true });
  });

  describe('the runner', () => {
    it('sums up and fails when a notebook fails', () => {
      assert.match(output, /notebook\s+cells\s+seconds\s+peak memory\s+result\na-kernel\s+22\s+[\d.]+\s+(\d+ MB|–)\s+passed\n/);
      assert.deepEqual(output.match(/^\d+ passed, \d+ failed$/gm), ['1 passed, 1 failed', '0 passed, 2 failed', '0 passed, 1 failed']);
      assert.deepEqual(statuses, [1, 1, 1]);
    });

    it('says number, source and stack of the failing cell', () => {
      assert.match(output, /── b-fails, code cell 2 ─+\n {3}1 │ const one = 1;\n {3}2 │ JSON\.parse\("\{"\);\n/);
      assert.match(output, /In \[2\], line 2:\n {4}JSON\.parse\("\{"\);\n {9}\^\nSyntaxError: .*JSON.*\n {4}at JSON\.parse \(<anonymous>\)\n {4}at In \[2\]:2:6\n/);
    });

    it('says that a kernel died, that time is up, and which outputs are too large', () => {
      assert.match(output, /── c-dies, code cell 1 ─+\n {3}1 │ process\.exit\(3\);\n\nKernel died: the kernel died \(exit status 3\)/);
      assert.match(output, /── d-hangs, code cell 1 [^]*Time is up: not done after 6 s/);
      assert.match(output, /Too large: 2101 kB, and a committed notebook must stay below 2000 kB\. Largest outputs: code cell 1 stdout 2100 kB/);
    });

    it('writes back complete runs only, and leaves nothing beside them', () => {
      for (const name of ['b-fails', 'c-dies', 'd-hangs', 'e-large']) assert.equal(fs.readFileSync(file(name), 'utf8'), sources[name]);
      assert.deepEqual(executed.cells.map((cell) => cell.execution_count), executed.cells.map((_, i) => i + 1));
      assert.deepEqual(fs.readdirSync(folder).sort(), Object.keys(sources).map((name) => `${name}.ipynb`));
      assert.ok(executed.cells.every((cell) => Object.keys(cell.metadata).every((key) => key === 'tags')));
    });

    it('does not flood what is no terminal', () => assert.ok(!/[\r\x1b]/.test(output)));

    it('passes the environment on and works in notebooks/', () => assert.equal(printed('profile').trim(), `a test ${notebooksFolder}`));
  });

  describe('the kernel', () => {
    it('answers errors with name, message, the line of the cell and a stack in its terms', () => {
      const { ename, evalue, traceback } = errorOf('stack');
      assert.deepEqual([ename, evalue], ['RangeError', 'too big: 3']);
      assert.deepEqual(traceback, ['In [1], line 3:', '      if (n > 2) throw new RangeError(`too big: ${n}`);', '                       ^', 'RangeError: too big: 3', '    at inner (In [1]:3:20)', '    at In [1]:7:16']);
      assert.deepEqual(errorOf('later').traceback.slice(-2), ['    at inner (In [1]:3:20)', '    at In [4]:3:1']);
    });

    it('keeps what a failed cell declared before it failed, and nothing more', () => {
      assert.equal(printed('declarations').trim(), '1 function');
      assert.match(errorOf('undeclared').evalue, /Cannot find name 'unmade'/);
    });

    it('shows the line of a type error', () => {
      const { ename, traceback } = errorOf('types');
      assert.equal(ename, 'TypeScriptError');
      assert.deepEqual(traceback.slice(1), ['In [5], line 2:', '    const wrong: number = "text";', '          ^']);
    });

    it('tells causes, and values that are no errors', () => {
      assert.ok(errorOf('cause').traceback.includes('Caused by TypeError: inner reason'));
      assert.equal(errorOf('value').evalue, '{ code: 7 }');
    });

    it('fails the cell when a promise is rejected or a timer throws with nobody waiting', () => {
      assert.equal(errorOf('stray').evalue, 'nobody waits');
      assert.equal(errorOf('late').evalue, 'too late');
    });

    it('reads `await (x)` and `for await` at top level', () => {
      assert.equal(printed('parenthesized'), 'paren\n');
      assert.equal(printed('forAwait'), 'k 1\nk 2\n');
    });

    it('takes the names of properties in destructuring for what they are, whichever cell they come from', () => {
      assert.equal(printed('destructured').trim(), "[ 'x3' ] 3");
    });

    it('prints and displays any number of outputs without a turn of the event loop', () => {
      assert.equal(printed('flood').split('\n').length, 3001);
      assert.equal(outputsOf('displays').length, 700);
    });

    it('survives files created and deleted in its folder', () => assert.equal(printed('afterWatched'), 'still works\n'));

    it('shows the last value: what a promise becomes, and what shows itself', () => {
      assert.equal(printed('promise'), 'settled\n');
      assert.deepEqual(textOf(outputsOf('shown')[0].data!['text/html'] as string), '<b>own</b>');
    });

    it('shows the outputs of the library; a bar is one output with its last text', () => {
      assert.deepEqual(outputsOf('link').map((o) => textOf(o.data!['text/html'] as string).replace(/[\d.]+ s\b.*steps\/s/, '… s')), [
        '<div>Steps · 3/3 steps · … s · loss 2</div>', '<table><thead><tr><th style="text-align:left">a</th></tr></thead><tbody><tr><td style="text-align:left">&lt;i&gt;</td></tr></tbody></table>',
      ]);
    });

    it('names the library\'s TypeScript sources in a stack', () => {
      assert.ok(errorOf('library').traceback.some((line) => /^ {4}at lineFigure \(lib\/notebook\/charts\.ts:\d+:\d+\)$/.test(line)), errorOf('library').traceback.join('\n'));
    });

    it('ends when the process that started it is gone', async function orphan() {
      if (process.platform !== 'linux') this.skip();
      const pidFile = path.join(folder, 'pid'), copy = path.join(folder, 'orphan.ipynb');
      fs.writeFileSync(copy, notebook([{ source: `import * as fs from "node:fs";\nfs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));` }, { source: 'await new Promise(() => {});' }]));
      const runner = spawn(python, [path.join(root, 'scripts/notebooks/execute.py'), copy, folder], { env: pythonEnvironment(), stdio: 'ignore' });
      const until = async (what: () => boolean, seconds: number): Promise<void> => {
        for (const start = Date.now(); !what(); await new Promise((resolve) => { setTimeout(resolve, 100); })) assert.ok(Date.now() - start < seconds * 1000, `not within ${seconds} s: ${what}`);
      };
      await until(() => fs.existsSync(pidFile) && fs.readFileSync(pidFile, 'utf8') !== '', 60);
      const pid = Number(fs.readFileSync(pidFile, 'utf8'));
      runner.kill('SIGKILL');
      await until(() => !fs.existsSync(`/proc/${pid}`), 15);
      fs.rmSync(copy);
      fs.rmSync(pidFile);
    });
  });
});
