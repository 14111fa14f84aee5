import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { errorProblem } from '../../scripts/fuzz/judge';
import { resultText, totalsText } from '../../scripts/fuzz/report';
import { fuzz } from '../../scripts/fuzz/run';
import { caseFiles, Wrong } from '../../scripts/fuzz/target';
import { targets } from '../../scripts/fuzz/targets';
import { writeCase } from '../../scripts/fuzz/worker';
import { targets as bad } from './bad-fuzz-targets';

/** Cases of each target here; `npm run fuzz` tries as many as one likes. Networks and servers take longer than files. */
const CASES = Number(process.env.FUZZ_CASES ?? 15), SLOW = ['checkpoint', 'captioner', 'download'];

describe('fuzzing', () => {
  let output: string;
  beforeEach(() => { output = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-test-')); });
  afterEach(() => { fs.rmSync(output, { recursive: true, force: true }); });

  for (const [what, isSlow] of [['files', false], ['networks and servers', true]] as const) {
    it(`finds no reader of ${what} that crashes, hangs, leaks or gives a wrong result`, async function () {
      this.timeout(300_000);
      const chosen = targets.filter(({ name }) => SLOW.includes(name) === isSlow);
      const results = await fuzz(chosen, { seed: 7, cases: isSlow ? Math.ceil(CASES / 5) : CASES, caseSeconds: 60, output });
      assert.deepEqual(results.flatMap(({ failures }) => failures.map(({ target, index, reason,
        detail }) => `${target} ${index}: ${reason}\n${detail}`)), []);
      for (const { target, cases, accepted } of results) assert.ok(accepted > 0 && accepted <= cases,
        `${target}: ${accepted} of ${cases} were read`);
    });
  }

  it('finds a reader that hangs, ends the process, throws from inside, leaves files, takes memory or is wrong, and goes on',
    async function () {
    this.timeout(120_000);
    const told: string[] = [], module = path.join(__dirname, 'bad-fuzz-targets.ts');
    const results = await fuzz(bad, { seed: 1, cases: 3, caseSeconds: 8, jobs: 2, output, module,
      onResult: ({ target }) => { told.push(target); } });
    assert.deepEqual(results.map(({ target }) => target), bad.map(({ name }) => name));
    assert.deepEqual([...told].sort(), bad.map(({ name }) => name).sort(), 'each is told of once');
    const reasons = Object.fromEntries(results.map(({ target, failures }) => [target, failures.map(({ index,
      reason }) => `${index}: ${reason}`)]));
    assert.deepEqual(Object.fromEntries(Object.entries(reasons).filter(([name]) => name !== 'memory')), {
      hangs: ['2: it took more than 8 seconds'], ends: ['2: the process ended'], inside: ['2: an error from inside: TypeError'],
        open: ['2: a file was left open'],
      outside: ['2: stray was written outside the folder'], wrong: ['2: a wrong result: 3 is no 2'],
        nameless: ['2: a message that names no file'], whole: ['1: a whole input was refused'],
        slow: [],
    });
    assert.match(reasons.memory.join(), /^2: \d+ MiB of memory were taken$/);
    const [{ failures: [{ folder }] }] = results;
    assert.match(fs.readFileSync(`${folder}.log`, 'utf8'), /npm run fuzz -- --target hangs --seed 1 --case 2/);
    assert.ok(fs.existsSync(path.join(folder, 'a.txt')), folder);
    assert.match(resultText(results[0]), /hangs-1-2: it took more .*kept: a\.txt \(5 bytes\)\s+again: npm run fuzz -- --target hangs /s);
    assert.equal(totalsText([...results, { target: 'good', cases: 1, accepted: 1, failures: [] }]), `2 passed, ${bad.length - 1} failed`);
  });

  // What longer runs have found; the cases stay the same as long as seeds and mutations do.
  const found: [target: string, seed: number, cases: number[]][] = [['checkpoint', 20265, [316, 412]], ['captioner', 20265, [2, 12]],
    ['captioner', 20264, [2]], ['words', 20261, [64, 2945]], ['scenes', 20262, [1547]]];
  for (const [name, seed, cases] of found) {
    it(`finds nothing more in cases ${cases.join(', ')} of ${name}, seed ${seed}`, async () => {
      const target = targets.find((one) => one.name === name)!, seeds = await target.seeds();
      const names = seeds.flatMap((files) => Object.keys(files).map((file) => path.basename(file)));
      for (const index of cases) {
        const folder = path.join(output, String(index));
        writeCase(folder, caseFiles(target, seeds, seed, index));
        const error: unknown = await Promise.resolve(folder).then(target.read).then(() => undefined, (thrown: unknown) => thrown);
        assert.equal(error && errorProblem(error, [folder, ...names]), undefined, String(error).slice(0, 300));
      }
    });
  }

  it('makes the same cases of the same seed, others of another', async () => {
    const target = targets.find(({ name }) => name === 'coco')!, seeds = await target.seeds();
    const text = (seed: number) => Array.from({ length: 20 }, (_, i) => Object.entries(caseFiles(target, seeds, seed,
      i + seeds.length)).map(String).join()).join();
    assert.equal(text(3), text(3));
    assert.notEqual(text(3), text(4));
    assert.deepEqual(caseFiles(target, seeds, 3, 0), seeds[0]);
  });
});

describe('errorProblem', () => {
  const cases: [unknown, string | undefined][] = [
    [new Error('/x/a.json: key b is missing; add it.'), undefined],
    [new RangeError('/x/a.json: 7 is outside 0 … 3.'), undefined],
    [new RangeError('Maximum call stack size exceeded'), 'an error from inside: RangeError'],
    [new RangeError('/x/a.json: Invalid typed array length: 7'), 'an error from inside: RangeError'],
    [new TypeError('/x/a.json: x is undefined'), 'an error from inside: TypeError'],
    [Object.assign(new Error('/x/a.json ENOENT'), { code: 'ENOENT' }), 'an error of the system as it came: ENOENT'],
    [new Error('something is wrong'), 'a message that names no file'],
    [new Error(`/x/a.json: ${'x'.repeat(9000)}`), 'a message of 9011 characters'],
    [new Wrong('1 is no 2'), 'a wrong result: 1 is no 2'],
    ['text', 'something else than an Error was thrown: text'],
  ];
  for (const [error, problem] of cases) it(`says ${problem ?? 'nothing'} of ${String(error).slice(0, 60)}`,
    () => assert.equal(errorProblem(error, ['/x/a.json']), problem));
});
