/** What a cell offers while it is being written: names, options, types and docs, by a true kernel. Needs .venv (npm run setup). */
import assert from 'node:assert/strict';
import { type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { notebooksFolder, python, startPython } from '../../scripts/notebooks/environment';

interface Completion { status: string; matches: string[]; cursor_start: number; cursor_end: number }
interface Inspection { found: boolean; data: { 'text/plain'?: string } }

describe('a cell while it is written', function suite() {
  this.timeout(120_000);
  let child: ChildProcess, answers: AsyncIterator<string>;

  async function ask<T>(request: object): Promise<T> {
    child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await answers.next();
    assert.ok(done !== true, 'the kernel answers');
    return JSON.parse(value as string) as T;
  }
  const complete = (code: string) => ask<Completion>({ complete: code });
  const inspect = async (code: string): Promise<string> => {
    const { found, data } = await ask<Inspection>({ inspect: code });
    assert.ok(found, `something is known of ${code}`);
    return data['text/plain']!;
  };
  const offers = async (code: string, ...names: string[]): Promise<string[]> => {
    const { matches } = await complete(code);
    assert.deepEqual(names.filter((name) => !matches.includes(name)), [], `${code} offers ${matches.slice(0, 30).join(' ')}`);
    return matches;
  };

  before(async function start() {
    if (!fs.existsSync(python)) {
      console.warn('      .venv is missing: run `npm run setup` to test the kernel');
      return this.skip();
    }
    child = startPython([path.join(__dirname, 'ask-kernel.py'), notebooksFolder], { stdio: ['pipe', 'pipe', 'inherit'] });
    answers = readline.createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const { status, errors } = await ask<{ status: string; errors: string[] }>({ execute:
      'import { FeatureCaptioner, imageGrid, lineChart, loadCaptioner, scoreCaptions } from \'captioning\';\n'
      + 'const captioner = loadCaptioner(\'blip-scenes\');\nconst history = [{ trainLoss: 1, valLoss: 2 }];' });
    assert.deepEqual([status, errors], ['ok', []]);
  });
  after(async () => {
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => { child.on('close', resolve); });
    child.stdin!.end();
    await ended;
  });

  it('offers the names of the library in an import', async () => {
    await offers('import { lo| } from \'captioning\';', 'loadCaptioner', 'loadDataset');
    await offers('import { | } from \'captioning\';', 'imageGrid', 'train', 'scoreCaptions');
    await offers('import * as c from \'captioning\';\nc.bea|', 'beamTable');
  });

  it('offers variables of earlier cells and their members', async () => {
    await offers('capt|', 'captioner');
    const members = await offers('captioner.|', 'caption');
    assert.ok(!members.includes('imageGrid'), 'members only');
    await offers('history[0].|', 'trainLoss', 'valLoss');
    await offers('history.map((one) => one.v|)', 'valLoss');
  });

  it('offers the options of a call, and the texts an option may be', async () => {
    await offers('await captioner.caption([], { num| })', 'numBeams');
    await offers('await captioner.caption([], { | })', 'numBeams', 'lengthPenalty', 'maxNewTokens');
    await offers('await lineChart({ a: [1] }, { title: \'t\', x: \'x\', y: { label: \'y\', | } })', 'unit', 'scale');
    await offers('await lineChart({ a: [1] }, { title: \'t\', x: \'x\', y: { label: \'y\', scale: \'|\' } })', 'log', 'linear');
  });

  it('replaces the word at the cursor, behind characters of any kind', async () => {
    const { matches, cursor_start, cursor_end } = await complete('const text = \'😀 é\'; captioner.capt|');
    assert.ok(matches.includes('caption'), matches.join());
    const code = [...'const text = \'😀 é\'; captioner.capt'];
    assert.deepEqual([cursor_start, cursor_end], [code.length - 4, code.length]);
  });

  it('says types and docs of what is imported, of a variable and of an option', async () => {
    const grid = await inspect('imageGrid|([]);');
    assert.match(grid, /imageGrid\(items: readonly GridItem\[\], options\?: ImageGridOptions\): Promise<void>/);
    assert.match(grid, /Shows pictures in a grid with titles and captions\./);
    assert.match(grid, /@throws ImageError naming the file/);
    assert.match(await inspect('await imageGrid(|)'), /^\(alias\) imageGrid\(/, 'between the parentheses, of the function');
    assert.match(await inspect('await imageGrid([{ image: (1), | }], {'), /^\(alias\) imageGrid\(/);
    assert.match(await inspect('captio|ner'), /^const captioner: /);
    assert.match(await inspect('history.ma|p(String)'), /Calls a defined callback function on each element/);
    assert.match(await inspect('await captioner.caption([], { numBe|ams: 3 })'), /numBeams\?: number/);
  });

  it('goes on in a cell that is not whole, and after one that failed', async () => {
    await offers('for (const one of history) {\n  one.|', 'trainLoss');
    const failing = 'const half = [1];\nthrow new Error(\'on purpose\');';
    const { status, errors } = await ask<{ status: string; errors: string[] }>({ execute: failing });
    assert.equal(status, 'error');
    assert.match(errors[0], /In \[2\], line 2/);
    await offers('half.ma|', 'map');
    // What is queued within 200 ms of a failure is dropped, as with "Run All".
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    assert.equal((await ask<{ text: string }>({ execute: 'console.log(half.length);' })).text, '1\n');
  });
});
