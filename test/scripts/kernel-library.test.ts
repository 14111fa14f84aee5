import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const { followLibrary } = require('../../scripts/kernel/library.cjs') as {
  followLibrary(lib: string, compile: () => void): (cell: string) => string;
};

describe('the kernel, when the library changes', () => {
  const IMPORT = 'import { answer } from \'captioning\';';
  let lib = '', compiled = 0, clock = 0, refresh: (cell: string) => string;
  const file = (...names: string[]): string => path.join(lib, ...names);
  /** Writes a file, each a second later than the one before, whatever the disk's clock can tell. */
  const write = (name: string, text: string): void => {
    fs.writeFileSync(file(name), text);
    fs.utimesSync(file(name), ++clock, clock);
  };
  const build = (): void => {
    compiled++;
    const source = fs.readFileSync(file('index.ts'), 'utf8');
    write('dist/index.js', source.replace('export const answer =', 'exports.answer ='));
    write('dist/.tsbuildinfo', '');
    if (source.includes('wrong')) throw Object.assign(new Error('exit 1'), { stdout: 'lib/index.ts(1,1): error TS1: wrong' });
  };
  const answer = (): number => (require(file('dist')) as { answer: number }).answer;

  beforeEach(() => {
    lib = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'kernel-library-')));
    fs.mkdirSync(file('dist'));
    [compiled, clock] = [0, 1e9];
    write('index.ts', 'export const answer = 1;');
    build();
    compiled = 0;
    refresh = followLibrary(lib, build);
  });
  afterEach(() => fs.rmSync(lib, { recursive: true }));

  it('compiles and loads it anew for the next cell that imports it, and only then', () => {
    assert.equal(refresh(IMPORT), '');
    assert.equal(answer(), 1);
    write('index.ts', 'export const answer = 2;');
    assert.equal(refresh('answer + 1'), '');
    assert.deepEqual([answer(), compiled], [1, 0]);
    assert.match(refresh(IMPORT), /compiled anew/);
    assert.deepEqual([answer(), compiled], [2, 1]);
    assert.equal(refresh('const { answer } = require("captioning");'), '');
    assert.deepEqual([answer(), compiled], [2, 1]);
  });

  it('loads what another program has built', () => {
    refresh(IMPORT);
    assert.equal(answer(), 1);
    write('index.ts', 'export const answer = 3;');
    build();
    assert.equal(refresh(IMPORT), '');
    assert.deepEqual([answer(), compiled], [3, 1]);
  });

  it('says what does not compile, once for each change', () => {
    write('index.ts', 'export const answer = 4; // wrong');
    assert.match(refresh(IMPORT), /does not compile:\nlib\/index.ts\(1,1\): error TS1: wrong$/);
    assert.equal(refresh(IMPORT), '');
  });

  it('leaves a library alone that was not built here', () => {
    fs.rmSync(file('dist', '.tsbuildinfo'));
    write('index.ts', 'export const answer = 5;');
    assert.equal(refresh(IMPORT), '');
    assert.equal(compiled, 0);
  });
});
