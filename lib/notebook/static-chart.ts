/**
 * A still picture of a Plotly figure, drawn without a browser: the figure becomes an echarts option, echarts draws SVG, and sharp
 * makes it a JPEG. What the figure says is kept (series, axes, titles, scales, categories); Plotly's finer styling is not.
 *
 * Why JPEG: a PNG beside the figure would be the better picture, but JupyterLab's chart renderer then shows that PNG until the
 * pointer touches it instead of drawing the chart.
 */
import type { EChartsOption, SeriesOption } from 'echarts';
import sharp from 'sharp';
import { xmlText } from './display';
import type { Figure, Trace } from './figure';
import { PALETTE, SEQUENTIAL } from './palette';
import { SHEET_FONT } from './sheet';

type Value = number | string | null;

const WIDTH = 720;
/** Pixels of the picture for one of the chart: sharp on dense screens, still small. */
const DENSITY = 1.25;

const list = (value: unknown): Value[] => (Array.isArray(value) ? value as Value[] : []);
const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? value as Record<string, unknown> : {});
/** The text of Plotly's titles and names, which may hold a little HTML. */
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
export const plainText = (html: string): string => html.replace(/<br\s*\/?>/gi, ' ').replace(/<[^>]*>/g, '').replace(/&(lt|gt|amp);/g, (entity) => ENTITIES[entity]);
const text = (value: unknown): string => plainText(String((typeof value === 'string' ? value : object(value).text) ?? ''));

const DASH: Record<string, number[] | 'solid'> = { solid: 'solid', dash: [8, 5], dot: [2, 3], dashdot: [8, 4, 2, 4], longdash: [14, 6] };

interface Extent { type: 'value' | 'category' | 'log'; categories: string[] }

/** What an axis spans: numbers, or the names that occur, in order. */
function extent(axis: Record<string, unknown>, values: Value[]): Extent {
  const named = axis.type === 'category' || values.some((value) => typeof value === 'string');
  if (!named) return { type: axis.type === 'log' ? 'log' : 'value', categories: [] };
  return { type: 'category', categories: [...new Set(values.map((value) => plainText(String(value))))] };
}

function axisOption(axis: Record<string, unknown>, { type, categories }: Extent, vertical: boolean): Record<string, unknown> {
  const range = list(axis.range) as number[];
  const limits = range.length === 2 && type !== 'category' ? range.map((value) => (type === 'log' ? 10 ** value : value)) : undefined;
  return {
    type, name: text(axis.title), nameLocation: 'middle', nameGap: vertical ? 52 : 30, nameTextStyle: { color: '#222', fontSize: 13 },
    ...(type === 'category' ? { data: categories } : { scale: true, splitLine: { lineStyle: { color: '#e5e5e5' } } }),
    ...(limits ? { min: Math.min(...limits), max: Math.max(...limits) } : {}),
    ...(axis.dtick === 1 ? { minInterval: 1 } : {}),
    inverse: axis.autorange === 'reversed' || (limits !== undefined && limits[0] > limits[1]),
    axisLine: { show: true, lineStyle: { color: '#444' } }, axisLabel: { color: '#222', hideOverlap: true, ...(type === 'category' && !vertical && categories.length > 8 ? { rotate: 40 } : {}) },
  };
}

const seriesName = (trace: Trace, i: number): string => (typeof trace.name === 'string' ? plainText(trace.name) : `series ${i + 1}`);

function lineSeries(trace: Trace, i: number, points: [Value, Value][]): SeriesOption {
  const mode = String(trace.mode ?? 'lines');
  const line = object(trace.line), marker = object(trace.marker);
  const color = String(line.color ?? (typeof marker.color === 'string' ? marker.color : PALETTE[i % PALETTE.length]));
  const name = seriesName(trace, i);
  if (trace.fill === 'toself') return areaSeries(name, String(trace.fillcolor ?? color), points);
  if (!mode.includes('lines')) return { type: 'scatter', name, data: points as never, symbolSize: 7, itemStyle: { color } };
  return {
    type: 'line', name, data: points as never, showSymbol: mode.includes('markers'), symbol: 'circle', symbolSize: 6, itemStyle: { color },
    lineStyle: { color, width: Number(line.width ?? 2), type: DASH[String(line.dash ?? 'solid')] ?? 'solid' }, ...(trace.fill ? { areaStyle: { opacity: 0.2 } } : {}),
  };
}

/** Closed areas, parted by points without y. All points count for the axes; each area is drawn with its first. */
function areaSeries(name: string, color: string, points: [Value, Value][]): SeriesOption {
  const starts = points.flatMap((_, i) => (points[i][1] !== null && (i === 0 || points[i - 1][1] === null) ? [i] : []));
  const outline = (start: number): [Value, Value][] => {
    const end = points.findIndex(([, y], i) => i > start && y === null);
    return points.slice(start, end < 0 ? undefined : end);
  };
  return {
    type: 'custom', name, data: points as never, silent: true, clip: true, itemStyle: { color },
    renderItem: ({ dataIndex }, api) => (starts.includes(dataIndex)
      ? { type: 'polygon', shape: { points: outline(dataIndex).map((point) => api.coord(point as never)) }, style: { fill: color } } : null),
  };
}

/** Equal bins over the values, about as many as Plotly would choose. */
function bins(values: number[], wanted: number): { centers: number[]; counts: number[] } {
  const low = Math.min(...values), high = Math.max(...values);
  const count = Math.max(1, high > low ? Math.min(60, wanted || Math.ceil(Math.sqrt(values.length))) : 1);
  const size = (high - low) / count || 1;
  const counts = new Array<number>(count).fill(0);
  for (const value of values) counts[Math.min(count - 1, Math.floor((value - low) / size))]++;
  return { centers: counts.map((_, i) => Number((low + size * (i + 0.5)).toPrecision(4))), counts };
}

/** Histograms are counted here; everything else stays as it is. */
function counted(trace: Trace): Trace {
  if (trace.type !== 'histogram') return trace;
  const values = list(trace.x).filter((value): value is number => typeof value === 'number');
  if (values.length === 0) return { ...trace, type: 'bar', x: [], y: [] };
  const { centers, counts } = bins(values, Number(trace.nbinsx ?? 0));
  return { ...trace, type: 'bar', x: centers.map(String), y: counts };
}

/** The echarts option of a figure; undefined if a trace is of a kind that is not translated. */
export function echartsOption({ data, layout }: Figure): EChartsOption | undefined {
  const traces = data.map(counted);
  const kinds = new Set(traces.map((trace) => String(trace.type ?? 'scatter')));
  if (traces.length === 0 || [...kinds].some((kind) => !['scatter', 'scattergl', 'bar', 'heatmap'].includes(kind))) return undefined;
  const xaxis = object(layout.xaxis), yaxis = object(layout.yaxis);
  const names = traces.map(seriesName);
  const legend = traces.length > 1 && layout.showlegend !== false;
  const base: EChartsOption = {
    animation: false, backgroundColor: '#ffffff', color: [...PALETTE], textStyle: { fontFamily: SHEET_FONT, color: '#222' },
    title: { text: text(layout.title), left: 'center', top: 10, textStyle: { fontSize: 16, fontWeight: 'normal', fontFamily: SHEET_FONT, color: '#222' } },
    legend: {
      show: legend, type: 'plain', bottom: 6, data: names.filter((_, i) => traces[i].showlegend !== false), itemWidth: 34, textStyle: { fontFamily: SHEET_FONT },
      // The drawn font is a tenth wider than the one that the library measures by.
      formatter: (name: string) => name + '\u00a0'.repeat(2 + Math.ceil(name.length / 8)),
    },
    grid: { left: 84, right: 28, top: 48, bottom: legend ? 40 + 24 * Math.max(2, legendRows(names)) : 60 },
  };
  if (kinds.has('heatmap')) return kinds.size === 1 && traces.length === 1 ? { ...base, ...heatmapOption(traces[0], xaxis, yaxis) } : undefined;

  const sideways = traces.some((trace) => trace.orientation === 'h');
  const points = traces.map((trace): [Value, Value][] => {
    const y = list(trace.y), x = Array.isArray(trace.x) ? list(trace.x) : y.map((_, i) => i);
    return x.map((value, i) => [value, y[i] ?? null]);
  });
  // Bars stand on names: numbers below them are taken as such.
  const asNames = (values: Value[], bars: boolean): Value[] => (kinds.has('bar') && bars ? values.map(String) : values);
  const xExtent = extent(xaxis, asNames(points.flat().map(([x]) => x), !sideways));
  const yExtent = extent(yaxis, asNames(points.flat().map(([, y]) => y), sideways));
  const named = ([x, y]: [Value, Value]): [Value, Value] => [xExtent.type === 'category' ? plainText(String(x)) : x, yExtent.type === 'category' ? plainText(String(y)) : y];
  const series = traces.map((trace, i): SeriesOption => {
    if (trace.type !== 'bar') return lineSeries(trace, i, points[i].map(named));
    const color = object(trace.marker).color;
    return { type: 'bar', name: names[i], data: points[i].map(named) as never, ...(layout.barmode === 'stack' ? { stack: 'all' } : {}),
      itemStyle: { color: typeof color === 'string' ? color : PALETTE[i % PALETTE.length] }, barMaxWidth: 60 };
  });
  const from0 = (option: Record<string, unknown>, bars: boolean) => (kinds.has('bar') && bars ? { ...option, scale: false } : option);
  return { ...base, xAxis: from0(axisOption(xaxis, xExtent, false), sideways), yAxis: from0(axisOption(yaxis, yExtent, true), !sideways), series } as EChartsOption;
}

function heatmapOption(trace: Trace, xaxis: Record<string, unknown>, yaxis: Record<string, unknown>): EChartsOption {
  const rows = list(trace.z).map((row) => list(row as unknown));
  const width = rows[0]?.length ?? 0;
  const labels = (axis: Record<string, unknown>, own: unknown, count: number): string[] => {
    const given = Array.isArray(axis.ticktext) ? list(axis.ticktext) : list(own);
    return Array.from({ length: count }, (_, i) => plainText(String(given[i] ?? i)));
  };
  const numbers = rows.flat().filter((value): value is number => typeof value === 'number');
  // Dark letters on bright cells, bright ones on dark: the middle of the colours is where both can be read.
  const middle = (Math.min(...numbers) + Math.max(...numbers)) / 2;
  const cells = rows.flatMap((row, y) => row.map((value, x) =>
    ({ value: [x, y, value], label: { color: typeof value === 'number' && value > middle ? '#222222' : '#ffffff' } })));
  const axis = (source: Record<string, unknown>, names: string[], vertical: boolean): Record<string, unknown> => {
    const option = axisOption({ ...source, range: undefined }, { type: 'category', categories: names }, vertical);
    return { ...option, splitLine: { show: false }, ...(vertical ? { nameGap: 64 } : {}) };
  };
  return {
    grid: { left: 100, right: 110, top: 48, bottom: 72 },
    xAxis: axis(xaxis, labels(xaxis, trace.x, width), false),
    yAxis: axis(yaxis, labels(yaxis, trace.y, rows.length), true),
    visualMap: {
      type: 'continuous', min: Math.min(...numbers, Infinity), max: Math.max(...numbers, -Infinity), calculable: false, right: 8, top: 'center', itemHeight: 180,
      inRange: { color: SEQUENTIAL.map(([, color]) => color) }, precision: 2, text: [text(object(trace.colorbar).title), ''], textStyle: { fontFamily: SHEET_FONT },
    },
    series: [{ type: 'heatmap', data: cells as never, label: { show: trace.texttemplate === '%{z}' }, emphasis: { disabled: true } }],
  } as EChartsOption;
}

/** Draws a figure as SVG; undefined where a trace is of a kind that is not translated. */
export function chartSvg(chart: Figure): string | undefined {
  const option = echartsOption(chart);
  if (!option) return undefined;
  // A tenth of a second to load: only when a chart is drawn.
  const echarts = require('echarts') as typeof import('echarts');
  const drawing = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: Number(chart.layout.height ?? 380) });
  try {
    drawing.setOption(option);
    return xmlText(drawing.renderToSVGString());
  } finally {
    drawing.dispose();
  }
}

let fonts: Promise<boolean> | undefined;

/** Whether this machine has a font to draw letters with: without one, every letter comes out as the same box or as nothing. */
export function canDrawText(): Promise<boolean> {
  const ink = async (letters: string): Promise<number> => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="30"><rect width="120" height="30" fill="white"/><text x="4" y="20" font-family="${SHEET_FONT}" font-size="16">${letters}</text></svg>`;
    return 255 - (await sharp(Buffer.from(svg)).removeAlpha().stats()).channels[0].mean;
  };
  fonts ??= Promise.all([ink('iiii'), ink('WWWW')]).then(([thin, wide]) => wide > thin * 1.5);
  return fonts;
}

/**
 * The picture of a figure as a MIME bundle of one entry: a JPEG, or the SVG itself on machines without fonts (who looks at it has
 * some). Empty where the figure cannot be translated.
 */
export async function staticChart(chart: Figure): Promise<Record<string, string>> {
  const svg = chartSvg(chart);
  if (svg === undefined) return {};
  if (!await canDrawText()) return { 'image/svg+xml': svg };
  const jpeg = await sharp(Buffer.from(svg), { density: 72 * DENSITY }).flatten({ background: '#ffffff' })
    .jpeg({ quality: 88, chromaSubsampling: '4:4:4', mozjpeg: true }).toBuffer();
  return { 'image/jpeg': jpeg.toString('base64') };
}

/** Rows that the legend's entries fill, as wide as they are drawn at most. */
function legendRows(names: readonly string[]): number {
  let rows = 1, used = 0;
  for (const name of names) {
    const width = 60 + 8 * name.length;
    if (used > 0 && used + width > 860) [rows, used] = [rows + 1, 0];
    used += width;
  }
  return rows;
}
