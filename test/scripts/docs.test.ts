import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ApiReader, roomPage } from '../../scripts/docs/api';
import { architecturePage, readImports, violations } from '../../scripts/docs/architecture';

const root = path.resolve(__dirname, '../..'), lib = path.join(root, 'lib');

describe('the architecture', () => {
  const imports = readImports(lib);

  it('has imports that point down, and TensorFlow\'s package in the engine alone', () => assert.deepEqual(violations(imports), []));

  it('is drawn as it is (npm run docs draws it anew)', () => {
    assert.equal(fs.readFileSync(path.join(root, 'docs', 'architecture.md'), 'utf8'), architecturePage(imports));
  });
});

describe('what breaks the architecture', () => {
  let folder = '';
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  };
  before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'architecture-')); });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('is named: imports that point up, rooms without a place, TensorFlow elsewhere', () => {
    write('nn/linear.ts', 'import {\n  train,\n} from \'../training\';\nimport { a } from \'./other\';\n');
    write('training/loop.ts', 'import type { Tensor } from \'@tensorflow/tfjs-node-gpu\';\nexport * from \'../nn\';\n');
    write('metrics/bleu.ts', 'import * as tf from \'@tensorflow/tfjs-node-gpu\';\nconst late = require(\'../training/loop\');\n');
    write('cellar/wine.ts', '');
    write('path.ts', 'import { a } from \'./nn\';\n');
    write('index.ts', 'export * from \'./nn\';\n');
    const imports = readImports(folder);
    assert.deepEqual([...imports.rooms.get('metrics')!], [['training', 1]]);
    assert.deepEqual(violations(imports), [
      'path.ts imports nn',
      'cellar is not among ROOMS: give it its place in scripts/docs/architecture.ts',
      'nn imports training, which stands above it',
      'metrics/bleu.ts imports TensorFlow\'s package: only engine/ does',
    ]);
  });
});

describe('the pages of the API', () => {
  it('tell names, docstrings and declarations without bodies or private members', () => {
    const nn = new ApiReader(lib).room('nn'), linear = nn.find(({ name }) => name === 'Linear')!;
    assert.deepEqual([linear.kind, linear.file], ['class', path.join('nn', 'linear.ts')]);
    assert.match(linear.doc, /\S/);
    assert.match(linear.declaration, /^class Linear extends Module \{\n/);
    assert.ok(!/private|return /.test(linear.declaration), linear.declaration);
    assert.match(roomPage('nn', 'layers', [linear]), /## Linear\n\n.+\n\n```ts\nclass Linear/s);
  });

  it('hold what a room passes on from its files, once each', () => {
    const names = new ApiReader(lib).room('metrics').map(({ name }) => name);
    assert.deepEqual(names.filter((name) => ['bleu', 'cider', 'scoreCaptions'].includes(name)), ['bleu', 'cider', 'scoreCaptions']);
    assert.equal(new Set(names).size, names.length);
  });
});
