import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findNotebooks } from '../../scripts/notebooks/environment';
import { labArguments } from '../../scripts/notebooks/lab';
import { cleanNotebook, notebookText, sizeProblem, type Notebook, type NotebookCell } from '../../scripts/notebooks/notebook-file';
import { RunScreen } from '../../scripts/notebooks/run-screen';

const code = (source: string, outputs: NotebookCell['outputs'] = [], metadata = {}): NotebookCell => ({ cell_type: 'code', source, outputs, metadata, execution_count: 1 });
const book = (cells: NotebookCell[]): Notebook => ({ cells, metadata: {}, nbformat: 4, nbformat_minor: 4 });
const stream = (isTTY: boolean) => { const writes: string[] = []; return { writes, isTTY, columns: 60, write: (text: string) => { writes.push(text); } }; };

describe('cleanNotebook', () => {
  const dirty: Notebook = {
    ...book([code('a', [
      { output_type: 'stream', name: 'stdout', text: 'one\ntw' }, { output_type: 'stream', name: 'stdout', text: ['o\n', 'three'] },
      { output_type: 'stream', name: 'stderr', text: 'x' }, { output_type: 'stream', name: 'stdout', text: 'y' },
    ], { execution: { 'iopub.status.busy': '2026' }, collapsed: true, tags: ['raises-exception'] }), { ...code('b'), id: 'mine' }]),
    metadata: { kernelspec: { name: 'python3' }, widgets: {}, language_info: { version: '3.7.2' } },
  };

  it('keeps tags and ids, drops times and editor state, joins pieces of a stream', () => {
    const { cells, metadata, nbformat_minor } = cleanNotebook(dirty);
    assert.deepEqual(cells.map(({ id, metadata }) => ({ id, metadata })), [{ id: 'cell-01', metadata: { tags: ['raises-exception'] } }, { id: 'mine', metadata: {} }]);
    assert.deepEqual(cells[0].outputs!.map(({ name, text }) => [name, text]), [['stdout', ['one\n', 'two\n', 'three']], ['stderr', 'x'], ['stdout', 'y']]);
    assert.equal((metadata.kernelspec as { name: string }).name, 'tslab');
    assert.deepEqual(Object.keys(metadata), ['kernelspec', 'language_info']);
    assert.equal(nbformat_minor, 5);
  });

  it('is the same when done twice', () => {
    const once = notebookText(cleanNotebook(dirty));
    assert.equal(notebookText(cleanNotebook(JSON.parse(once))), once);
  });
});

describe('sizeProblem', () => {
  it('names the largest outputs of a notebook that is too large', () => {
    const large = book([code('small', [{ output_type: 'stream', name: 'stdout', text: 'x'.repeat(500) }]), { ...code(''), cell_type: 'markdown' },
      code('big', [{ output_type: 'display_data', data: { 'image/png': 'A'.repeat(3000), 'text/plain': 'p' } }])]);
    assert.equal(sizeProblem(large, 10_000), undefined);
    assert.match(sizeProblem(large, 3000)!, /must stay below 3\.0 kB\. Largest outputs: code cell 2 image\/png 3\.0 kB; code cell 1 stdout 0\.5 kB; code cell 2 text\/plain/);
  });
});

describe('findNotebooks', () => {
  let folder = '';
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'notebooks-'));
    for (const name of ['01-one.ipynb', '02-two.ipynb', '02-two-b.ipynb', '.hidden.ipynb', 'notes.md']) fs.writeFileSync(path.join(folder, name), '{}');
  });
  after(() => fs.rmSync(folder, { recursive: true }));
  const names = (...wanted: string[]): string[] => findNotebooks(wanted, folder).map((file) => path.basename(file));

  it('takes all in order, unique beginnings, exact names and files, each once', () => {
    assert.deepEqual(names(), ['01-one.ipynb', '02-two-b.ipynb', '02-two.ipynb']);
    assert.deepEqual(names('02-two', '01', '01-one.ipynb', path.join(folder, '01-one.ipynb')), ['02-two.ipynb', '01-one.ipynb']);
  });

  it('says what there is when a name is unknown or not unique', () => {
    assert.throws(() => names('03'), /no notebook is called 03; there are: 01-one\.ipynb/);
    assert.throws(() => names('02'), /02 could be 02-two-b\.ipynb or 02-two\.ipynb/);
    assert.throws(() => findNotebooks([], path.join(folder, 'none')), /holds no notebooks/);
  });
});

describe('labArguments', () => {
  it('binds to the loopback address after whatever was asked for', () => {
    const args = labArguments(['--no-browser', '--port=9999'], false);
    assert.ok(args.includes('--ServerApp.ip=127.0.0.1') && args.includes('--no-browser') && args.includes('--port=9999') && !args.includes('--allow-root'));
    assert.ok(labArguments([], true).includes('--allow-root'));
  });

  for (const argument of ['--ip=0.0.0.0', '--ip', '--ServerApp.ip=*', '--NotebookApp.ip=0.0.0.0', '--ServerApp.allow_remote_access=True', '--ServerApp.token=', '--IdentityProvider.token=',
    '--ServerApp.allow_origin=*', '--PasswordIdentityProvider.hashed_password=', '--ServerApp.disable_check_xsrf=True', '--config=x.py', '--gateway-url=http://h']) {
    it(`refuses ${argument}`, () => assert.throws(() => labArguments([argument], false), /stays on this machine/));
  }
});

describe('RunScreen', () => {
  const result = { written: '', name: '01-one', passed: true, cells: 2, seconds: 3.21, peak: 512e6 };

  it('writes two lines a notebook to a log, whatever happens in between', () => {
    const log = stream(false);
    const screen = new RunScreen(log);
    screen.start('01-one');
    for (let i = 0; i < 1000; i++) { screen.cell('01-one', 1, 2); screen.note('01-one', `step ${i}`); }
    screen.finish(result);
    assert.deepEqual(log.writes, ['01-one: running\n', '✓ 01-one: 2 cells, 3.2 s\n']);
  });

  it('draws within one line of a terminal', () => {
    const terminal = stream(true);
    const screen = new RunScreen(terminal);
    screen.start('a-notebook-with-a-name-that-is-longer-than-the-terminal-is-wide');
    screen.finish(result);
    assert.ok(!terminal.writes[0].includes('\n') && [...terminal.writes[0]].length < 60);
  });

  it('draws a line for each that runs, and what stays above them', () => {
    const terminal = stream(true);
    const screen = new RunScreen(terminal);
    screen.start('01-one');
    screen.start('02-two');
    screen.finish(result);
    const [, both, finished, after] = terminal.writes;
    assert.match(both, /^\r\x1b\[J01-one .*\n02-two [^\n]*$/);
    assert.equal(finished, '\r\x1b[1A\x1b[J✓ 01-one: 2 cells, 3.2 s\n');
    assert.match(after, /^02-two [^\n]*$/);
    screen.finish({ ...result, name: '02-two' });
  });

  it('shows the failing cell with number, source and stack, and sums up', () => {
    const log = stream(false);
    const screen = new RunScreen(log);
    screen.fail('01-one', { kind: 'error', message: 'boom', ename: 'RangeError', number: 2, source: 'const a = 1;\nf(a);', traceback: ['RangeError: boom', '    at In [2]:2:1'] }, 'build/notebooks/01-one.ipynb');
    screen.table([result, { ...result, name: '02', passed: false, peak: null }], 3);
    const text = log.writes.join('');
    for (const part of ['01-one, code cell 2', '   1 │ const a = 1;\n   2 │ f(a);', 'RangeError: boom\n    at In [2]:2:1', 'build/notebooks/01-one.ipynb', '512 MB   passed', '–   FAILED', '1 passed, 1 failed, 1 not run']) {
      assert.ok(text.includes(part), part);
    }
  });
});
