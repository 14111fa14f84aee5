import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { readHistory } from '../../lib/training';

describe('readHistory', () => {
  let folder: string, file: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'history-')); file = path.join(folder, 'history.jsonl'); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });
  const line = (epoch: number, trainLoss = 1) =>
    `${JSON.stringify({ epoch, trainLoss, metrics: { valLoss: NaN, CIDEr: 0.5 }, seconds: 2 })}\n`;

  it('takes the later of two lines for an epoch, leaves out a torn last one, and reads null as no number', () => {
    fs.writeFileSync(file, `${line(1)}${line(2)}${line(2, 3)}${line(3).slice(0, 20)}`);
    const history = readHistory(file);
    assert.deepEqual(history.map(({ epoch, trainLoss }) => [epoch, trainLoss]), [[1, 1], [2, 3]]);
    assert.deepEqual(history[0].metrics, { valLoss: NaN, CIDEr: 0.5 });
    assert.deepEqual(readHistory(path.join(folder, 'none.jsonl')), []);
  });

  const bad: [string, string, RegExp][] = [
    ['a line that is torn in the middle of the file', `${line(1)}{"epoch": 2, "trai\n${line(3)}`,
      /history\.jsonl:2: this is not JSON.*train anew/],
    ['an epoch between two', line(1.5), /history\.jsonl:1: epoch: /],
    ['a loss that is no number', line(1).replace('"trainLoss":1', '"trainLoss":"low"'), /history\.jsonl:1: trainLoss: /],
    ['something else', `${line(1)}[]\n`, /history\.jsonl:2: the line: /],
  ];
  for (const [what, text, message] of bad) {
    it(`refuses ${what}`, () => { fs.writeFileSync(file, text); assert.throws(() => readHistory(file), message); });
  }
});
