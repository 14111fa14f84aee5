/** A failed cell names its own line, or the line of the library's TypeScript source, whatever kind of output it was to show. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/notebooks/environment';
import { runAll, untilDone, writeNotebook, type CellState } from './jupyterlab';
import { session } from './session';

interface Failing {
  source: string;
  /** The line of the cell that is shown; 0 where the cell is done by then. */
  line: number;
  says: RegExp;
  /** The library's file that threw. */
  file?: string;
}

/** Each by what it was to show. */
const FAILING: Record<string, Failing> = {
  'a value': {
    source: 'const inner = (n: number): number => {\n  if (n > 1) throw new RangeError(`too big: ${n}`);\n  return n;\n};\ninner(2);',
    line: 2, says: /RangeError: too big: 2/,
  },
  'a wrong type': {
    source: '// a comment\nconst caption: number = "a red ball";',
    line: 2, says: /TypeScriptError: Type 'string' is not assignable to type 'number'/,
  },
  'an option misspelt': {
    source: 'await lineChart({ a: [1] },\n  { titel: "t", x: "x", y: "y" });',
    line: 2, says: /'titel' does not exist in type 'ChartOptions'/,
  },
  'a table': {
    source: 'table([{ a: 1 }, [1]] as never);',
    line: 1, says: /rows must be all objects or all arrays/, file: 'lib/notebook/tables.ts',
  },
  'a line chart': {
    source: '\nawait lineChart({ a: [1] }, { title: "t", x: "", y: "y" });',
    line: 2, says: /both axes need a label/, file: 'lib/notebook/charts.ts',
  },
  'a bar chart': {
    source: 'await barChart([{ name: "a", x: [1], y: [1, 2] }], { title: "t", x: "x", y: "y" });',
    line: 1, says: /1 x values for 2 y values/, file: 'lib/notebook/charts.ts',
  },
  'a matrix': {
    source: 'await heatmap([[1, 2], [3]], { title: "t", x: "x", y: "y" });',
    line: 1, says: /row 2 has 1 values/, file: 'lib/notebook/charts.ts',
  },
  'telling words': {
    source: 'await tellingWordsChart([], { source: "BLIP" });',
    line: 1, says: /No word speaks for BLIP/, file: 'lib/notebook/classification-charts.ts',
  },
  'pictures': {
    source: 'const files = ["missing.jpg"];\nawait imageGrid(files.map((image) => ({ image })));',
    line: 2, says: /missing\.jpg/, file: 'lib/images/',
  },
  'attention': {
    source: 'await attentionGrid(picture, ["a", "b"], [[1, 1, 1, 1]]);',
    line: 1, says: /2 words but 1 attention maps/, file: 'lib/notebook/attention-grid.ts',
  },
  'predictions': { source: 'await predictionGrid([]);', line: 1, says: /there are no pictures/, file: 'lib/notebook/prediction-grid.ts' },
  'progress': { source: 'const none = progress(-1);', line: 1, says: /total must be a number of steps/, file: 'lib/notebook/progress.ts' },
  'progress, half-way': {
    source: 'const bar = progress(4, "Half");\nfor (let i = 0; i < 4; i++) {\n  bar.step({ i });\n'
      + '  if (i === 1) throw new Error("lost");\n}',
    line: 4, says: /Error: lost/,
  },
  'a plot as the last value': {
    source: 'createPlot([5 as never])',
    line: 0, says: /data must be an array of Plotly traces/, file: 'lib/notebook/figure.ts',
  },
  'work that can be stopped': {
    source: 'await interruptible(async () => {\n  await Promise.resolve();\n  (null as any).toString();\n});',
    line: 3, says: /TypeError/,
  },
  'nothing, with nobody waiting': { source: 'Promise.reject(new Error("nobody waits"));', line: 1, says: /nobody waits/ },
};

const IMPORT = 'import { attentionGrid, barChart, createPlot, heatmap, imageGrid, interruptible, lineChart } from "captioning";\n'
  + 'import { predictionGrid, progress, table, tellingWordsChart } from "captioning";\n'
  + 'const picture = { data: new Uint8Array(12), width: 2, height: 2 };';

describe('a failed cell in JupyterLab', () => {
  let state: CellState[] = [], shown: string[] = [];
  const names = Object.keys(FAILING);

  it('shows its error and lets the next cells run where that is wanted', async () => {
    const { lab, page } = session;
    const cells = [IMPORT, ...names.map((name) => ({ raises: FAILING[name].source })), 'console.log("still here", picture.width);'];
    await lab.open(page, writeNotebook('errors', cells));
    await runAll(page);
    state = await untilDone(page, 60_000, { failing: true });
    shown = await page.locator('.jp-CodeCell').evaluateAll((all) =>
      all.map((cell) => cell.querySelector('.jp-OutputArea')?.textContent ?? ''));
    await page.screenshot({ path: path.join(root, 'build', 'browser', 'errors.png'), fullPage: true });
    assert.deepEqual(state[0].outputs, []);
    assert.equal(state[state.length - 1].outputs[0].text.trim(), 'still here 2');
  });

  names.forEach((name, i) => {
    const { source, line, says, file } = FAILING[name];
    it(`that was to show ${name} says what went wrong and where`, () => {
      const text = shown[i + 1], number = i + 2;
      assert.ok(text, 'the first test has run');
      assert.match(text, says);
      if (line > 0) {
        assert.ok(text.includes(`In [${number}], line ${line}:`), text);
        assert.ok(text.includes(source.split('\n')[line - 1].trim()), 'the line itself is shown');
      }
      assert.doesNotMatch(text, /\/dist\/|\.[cm]?js:\d|evalmachine|node:internal|\.venv/);
      const frame = /\b(lib\/[\w/-]+\.ts):(\d+):\d+/.exec(text);
      assert.equal(frame?.[1].startsWith(file ?? '-') ?? false, file !== undefined, text);
      if (!frame || file === undefined) return;
      const throwing = fs.readFileSync(path.join(root, frame[1]), 'utf8').split('\n')[Number(frame[2]) - 1];
      assert.match(throwing, /throw |new \w*Error\(/, frame[0]);
    });
  });

  it('keeps what was shown before it failed', () => {
    const half = state[1 + names.indexOf('progress, half-way')].outputs;
    assert.deepEqual(half.map(({ type }) => type), ['display_data', 'error']);
  });
});
