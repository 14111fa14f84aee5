import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { barFigure, heatmapFigure, lineChart, lineFigure } from '../../lib/notebook/charts';
import { figure, figureBundle } from '../../lib/notebook/figure';
import { PALETTE } from '../../lib/notebook/palette';
import { createPlot } from '../../lib/notebook/plotly-notebook';
import { canDrawText, chartSvg, echartsOption } from '../../lib/notebook/static-chart';
import { DISPLAY } from '../../lib/notebook/display';
import { inFakeNotebook } from './fake-kernel';

const axes = { title: 'Loss <eval>', x: 'Epoch', y: { label: 'Cross entropy', unit: 'nats' } };

describe('charts', () => {
  it('a line chart has labelled axes with units, a palette for everyone, and epochs from 1', () => {
    const { data, layout } = lineFigure({ training: [3, 2], validation: Float32Array.of(3.1, NaN) }, axes);
    assert.deepEqual(data.map(({ x, y, name }) => ({ x, y, name })), [{ x: [1, 2], y: [3, 2], name: 'training' }, { x: [1, 2], y: [3.1, null], name: 'validation' }]);
    assert.deepEqual(data.map((trace) => (trace.line as { color: string }).color), PALETTE.slice(0, 2));
    assert.equal((layout.yaxis as { title: { text: string } }).title.text, 'Cross entropy (nats)');
    assert.equal((layout.title as { text: string }).text, 'Loss &lt;eval&gt;', 'Plotly reads titles as HTML');
  });

  it('a few whole numbers along the x axis have ticks at whole numbers alone', () => {
    const tick = (x: (number | string)[], scale?: 'log') =>
      (lineFigure([{ name: 'a', x, y: x.map(Number) }], { ...axes, x: { label: 'x', scale } }).layout.xaxis as { dtick?: number }).dtick;
    assert.deepEqual([tick([1, 2, 3]), tick([0, 12]), tick([0, 13]), tick([0.5, 1]), tick(['1', '2']), tick([1, 10], 'log'), tick([])],
      [1, 1, undefined, undefined, undefined, undefined, undefined]);
    const epochs = echartsOption(lineFigure({ a: [1, 2, 3] }, axes))!.xAxis as { minInterval?: number };
    assert.equal(epochs.minInterval, 1);
  });

  it('shows an interactive figure, a picture and a text, and no HTML with scripts', async () => {
    const [{ data }] = await inFakeNotebook(() => lineChart({ loss: [3, 2, 1] }, axes));
    const picture = await canDrawText() ? 'image/jpeg' : 'image/svg+xml';
    assert.deepEqual(Object.keys(data).sort(), ['application/vnd.plotly.v1+json', picture, 'text/plain']);
    assert.equal(data['text/plain'], '[chart: Loss <eval>; Cross entropy (nats) against Epoch; loss: 3 to 1]');
    const { channels, dominant } = await sharp(Buffer.from(String(data[picture]), picture === 'image/jpeg' ? 'base64' : 'utf8')).stats();
    assert.ok(dominant.r > 240 && channels[0].min < 80, 'dark ink on white');
    assert.ok(JSON.stringify(data).length < 60_000);
  });

  it('the still picture says what the figure says', () => {
    const svg = chartSvg(lineFigure({ training: [3, 2], validation: [3, 1] }, axes))!;
    for (const text of ['Loss &lt;eval&gt;', 'Epoch', 'Cross entropy (nats)', 'training', 'validation', PALETTE[0], PALETTE[1]]) assert.ok(svg.includes(text), text);
    assert.ok(!svg.includes('<script'));
    const bars = chartSvg(barFigure({ 'BLEU-1': 0.5, '<unk>': 0.1 }, { title: 'Scores', x: 'Metric', y: 'Score' }))!;
    for (const text of ['BLEU-1', '&lt;unk&gt;', 'Metric', 'Score']) assert.ok(bars.includes(text), text);
    const cells = chartSvg(heatmapFigure([[0, 1], [1, 0]], { title: 'Weights', x: 'Cell', y: 'Word', yLabels: ['a', 'a'], value: 'weight' }))!;
    for (const text of ['Weights', 'Cell', 'Word', 'weight']) assert.ok(cells.includes(text), text);
  });

  const banded = [
    { name: 'SmolVLM', x: [0, 10, 50, 80], y: [4, 3, 2, 1], band: { low: [3.5, 2.5, NaN, 0.5], high: [4.5, 3.5, 2.5, 1.5] } },
    { name: 'Custom', x: [0, 10, 50, 80], y: [2, 2, 1.5, 1], band: { low: [1, 1, 1, 0.25], high: [3, 3, 2, 2] } },
    { name: 'bare', x: [0, 80], y: [1, 1] },
  ];

  it('draws bands behind the lines in their colours, in stretches without gap', () => {
    const { data } = lineFigure(banded, axes);
    assert.deepEqual(data.map(({ name, fill }) => name ?? fill), ['toself', 'toself', 'SmolVLM', 'Custom', 'bare']);
    assert.deepEqual([data[0].x, data[0].y], [[0, 10, 10, 0, null, 80, 80], [4.5, 3.5, 2.5, 3.5, null, 1.5, 0.5]]);
    assert.deepEqual([data[1].x, data[1].y], [[0, 10, 50, 80, 80, 50, 10, 0], [3, 3, 2, 2, 0.25, 1, 1, 1]]);
    assert.deepEqual(data.map((trace) => trace.legendgroup), ['SmolVLM', 'Custom', 'SmolVLM', 'Custom', undefined]);
    assert.deepEqual(data.map((trace) => (trace.line as { color: string }).color), [0, 1, 0, 1, 2].map((i) => PALETTE[i]));
    assert.equal(data[0].fillcolor, 'rgba(0,114,178,0.2)');
    assert.ok(data.slice(0, 2).every((trace) => trace.showlegend === false && trace.hoverinfo === 'skip'));
  });

  /** The see-through areas of a still picture. */
  const areas = (svg: string) => [...svg.matchAll(/<polygon points="([\d. ]+)" fill="rgb\(([\d,]+)\)" fill-opacity="0\.2"/g)].map(([, points, color]) => {
    const numbers = points.split(' ').map(Number);
    return { color, corners: Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]) };
  });

  it('draws bands in the still picture too, and has room for them', async () => {
    const svg = chartSvg(lineFigure(banded, axes))!;
    assert.deepEqual(areas(svg).map(({ color }) => color), ['0,114,178', '0,114,178', '213,94,0']);
    assert.equal(areas(svg)[2].corners.length, 8, 'a corner at each end of each point');
    assert.ok(!svg.includes('series 1'), 'the legend names the lines alone');
    const option = echartsOption(lineFigure(banded, axes))!;
    assert.deepEqual((option.legend as { data: string[] }).data, ['SmolVLM', 'Custom', 'bare']);
    const [{ data }] = await inFakeNotebook(() => lineChart(banded, axes));
    const said = 'SmolVLM: 4 to 1; Custom: 2 to 1; bare: 1 to 1';
    assert.equal(data['text/plain'], `[chart: Loss <eval>; Cross entropy (nats) against Epoch; ${said}]`);
  });

  it('draws bands over names and on a log axis', () => {
    const named = [{ name: 'a', x: ['low', 'high'], y: [10, 100], band: { low: [1, 10], high: [100, 1000] } }];
    const svg = chartSvg(lineFigure(named, { ...axes, y: { label: 'y', scale: 'log' } }))!;
    const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = areas(svg)[0].corners;
    assert.ok(x0 === x3 && x1 === x2 && x0 < x1, 'names side by side');
    assert.ok(y0 < y3 && y1 < y2 && Math.abs((y3 - y0) - (y2 - y1)) < 0.5, 'equal ratios are equal heights');
  });

  it('translates log axes, histograms and horizontal bars, and leaves other kinds to the interactive chart', async () => {
    const log = echartsOption(lineFigure({ loss: [1000, 1] }, { ...axes, y: { label: 'Loss', scale: 'log', range: [1, 1000] } }))!;
    assert.deepEqual([(log.yAxis as { type: string }).type, (log.yAxis as { min: number }).min, (log.yAxis as { max: number }).max], ['log', 1, 1000]);
    const counts = echartsOption(figure([{ type: 'histogram', x: [1, 1, 2, 9], nbinsx: 4 }]))!.series as { data: [string, number][] }[];
    assert.deepEqual(counts[0].data.map(([, count]) => count), [3, 0, 0, 1]);
    const sideways = echartsOption(figure([{ type: 'bar', orientation: 'h', x: [3, 5], y: ['a', 'b'] }]))!;
    assert.deepEqual([(sideways.xAxis as { type: string }).type, (sideways.yAxis as { type: string }).type], ['value', 'category']);
    assert.deepEqual(Object.keys(await figureBundle(figure([{ type: 'pie', values: [1] }]))), ['application/vnd.plotly.v1+json', 'text/plain']);
  });

  it('refuses axes without label and lists that do not match', () => {
    assert.throws(() => lineFigure({ a: [1] }, { ...axes, x: '' }), /need a label/);
    assert.throws(() => lineFigure([{ name: 'a', x: [1], y: [1, 2] }], axes), /"a" has 1 x values for 2 y values/);
    assert.throws(() => lineFigure([{ name: 'a', y: [1, 2], band: { low: [1], high: [2, 3] } }], axes), /"a" has 1 low values for 2 y values/);
    assert.throws(() => heatmapFigure([[1, 2], [3]], axes), /row 2 has 1 values, the first has 2/);
    assert.throws(() => heatmapFigure([[1]], { ...axes, xLabels: ['a', 'b'] }), /1×2 labels for 1×1/);
    assert.throws(() => figure('x' as never), /array of Plotly traces/);
  });

  it('echarts is loaded with the first chart, not with the library', () => {
    const script = 'require("./lib/notebook/index.ts"); console.log(Object.keys(require.cache).some((file) => /node_modules.echarts/.test(file)))';
    assert.equal(execFileSync(process.execPath, ['-r', 'tsx/cjs', '-e', script], { encoding: 'utf8' }).trim(), 'false');
  });
});

describe('canDrawText', () => {
  const probe = (env: NodeJS.ProcessEnv): string => execFileSync(process.execPath, ['-r', 'tsx/cjs', '-e', 'require("./lib/notebook/static-chart.ts").canDrawText().then(console.log)'], { encoding: 'utf8', env }).trim();

  it('notices a machine without fonts, where charts are kept as SVG', function fonts() {
    if (process.platform !== 'linux') this.skip();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'no-fonts-'));
    try {
      fs.writeFileSync(path.join(folder, 'fonts.conf'), '<?xml version="1.0"?><fontconfig></fontconfig>');
      assert.equal(probe({ ...process.env, FONTCONFIG_FILE: path.join(folder, 'fonts.conf') }), 'false');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('createPlot (plotly-notebook-js)', () => {
  it('keeps the interface: chained changes of data and layout', () => {
    const plot = createPlot([{ y: [1] }], { title: 'T' }).addTraces([{ y: [2] }, { y: [3] }]).restyle({ mode: 'markers' }, 1);
    assert.deepEqual(plot.data, [{ y: [1] }, { y: [2], mode: 'markers' }, { y: [3] }]);
    assert.deepEqual(plot.deleteTraces([0, -1]).data, [{ y: [2], mode: 'markers' }]);
    assert.deepEqual(plot.addTraces({ y: [0] }, 0).data.map((trace) => trace.y), [[0], [2]]);
    assert.throws(() => plot.addTraces([{}, {}], [0]), /2 traces for 1 indices/);
  });

  it('shows through our renderer, by render() or as the last value', async () => {
    const plot = createPlot([{ x: [1, 2], y: [3, 4] }], { title: 'T' });
    const [{ data }] = await inFakeNotebook(() => plot.render());
    assert.deepEqual(data, await plot[DISPLAY]());
    assert.equal(((data['application/vnd.plotly.v1+json'] as { layout: { title: { text: string } } }).layout).title.text, 'T');
  });
});
