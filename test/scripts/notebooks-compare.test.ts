import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { outputDifferences, reportDifferences } from '../../scripts/notebooks/compare';
import type { Notebook, Output } from '../../scripts/notebooks/notebook-file';

const book = (...outputs: Output[]): Notebook => ({
  cells: [{ cell_type: 'markdown', source: '# Title', metadata: {} }, { cell_type: 'code', source: 'run()', metadata: {}, outputs }],
  metadata: {}, nbformat: 4, nbformat_minor: 5,
});
const shown = (data: Record<string, unknown>): Notebook => book({ output_type: 'display_data', data });
const said = (text: string): Notebook => book({ output_type: 'stream', name: 'stdout', text });
const table = (rows: string[][]): Notebook => shown({
  'text/html': `<p>Scores after 3.1 s</p><table>${rows.map((row) => `<tr>${row.map((cell) => `<td style="x">${cell}</td>`).join('')}</tr>`).join('')}</table>`,
  'text/plain': rows.map((row) => row.join('  ')).join('\n'),
});
const chart = (y: number, title: string, image: string): Notebook => shown({
  'application/vnd.plotly.v1+json': { data: [{ y: [y] }], layout: { yaxis: { title: { text: title } } } }, 'image/jpeg': image,
});

describe('outputDifferences', () => {
  const same: [string, Notebook, Notebook][] = [
    ['a bar', said('Training · 785/785 steps · 1 min 51 s · 7.07 steps/s · loss 1.236'), said('Training · 785/785 steps · 59 s · 13.1 steps/s · loss 1.236')],
    ['a slow bar', said('Rollout · 1/1 steps · 4.0 s · 4.01 s each'), said('Rollout · 1/1 steps · 2 h 03 min · 64.6 s each')],
    ['a table\'s timed column', table([['epoch', 'loss', 'seconds'], ['1', '0.5', '3.2']]), table([['epoch', 'loss', 'seconds'], ['1', '0.5', '40']])],
    ['a rate', table([['beams', 'pictures/s', 'times greedy'], ['3', '61', '1.5']]), table([['beams', 'pictures/s', 'times greedy'], ['3', '9', '1.9']])],
    ['a chart of times', chart(3, 'ms a picture', 'AA'), chart(4, 'ms a picture', 'BB')],
  ];
  for (const [name, before, now] of same) it(`leaves times out: ${name}`, () => assert.deepEqual(outputDifferences(before, now), []));

  const differing: [string, Notebook, Notebook, RegExp][] = [
    ['a number in a line', said('loss 1.236 after 3 s'), said('loss 1.237 after 3 s'), /^code cell 1: stdout: "loss 1\.236.*became "loss 1\.237/],
    ['a table\'s cell', table([['epoch', 'seconds'], ['1', '2']]), table([['epoch', 'seconds'], ['2', '2']]), /text\/html: "epoch \| ⟨time⟩\\n1 \|.*became/],
    ['what only looks like a time', table([['on the noun\'s object'], ['0.5']]), table([['on the noun\'s object'], ['0.6']]), /0\.5" became ".*0\.6"/],
    ['text around a table', table([['a']]), shown({ 'text/html': '<p>Other</p><table><tr><td>a</td></tr></table>', 'text/plain': 'a' }), /around its tables/],
    ['a picture', shown({ 'image/png': 'AA' }), shown({ 'image/png': 'AB' }), /^code cell 1: image\/png differs$/],
    ['a chart', chart(1, 'CIDEr', 'AA'), chart(2, 'CIDEr', 'AA'), /plotly.*differs/],
    ['a missing kind', shown({ 'text/plain': 'a', 'image/png': 'A' }), shown({ 'text/plain': 'a' }), /image\/png is only in the first/],
    ['a missing output', said('a'), book(), /1 outputs became 0/],
    ['the code', said('a'), { ...said('a'), cells: [{ cell_type: 'code', source: 'other()', metadata: {}, outputs: [] }] }, /source differs/],
    ['cells', said('a'), { ...said('a'), cells: [] }, /1 code cells became 0/],
  ];
  for (const [name, before, now, expected] of differing) {
    it(`says where else they differ: ${name}`, () => {
      const lines = outputDifferences(before, now);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0], expected);
    });
  }

  it('reports files, and how many differ', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-')), lines: string[] = [];
    try {
      const write = (name: string, notebook: Notebook): string => {
        const file = path.join(folder, name);
        fs.writeFileSync(file, JSON.stringify(notebook));
        return file;
      };
      const [a, b, c] = [write('01-a.ipynb', said('x')), write('b.ipynb', said('x')), write('c.ipynb', said('y'))];
      assert.equal(reportDifferences([[a, b], [a, c]], (line) => lines.push(line)), 1);
      assert.match(lines.join('\n'), /^= 01-a: all but times as it was\n≠ 01-a: not what is in compare-\w+\/\n    code cell 1: stdout: "x" became "y"$/);
    } finally { fs.rmSync(folder, { recursive: true }); }
  });
});
