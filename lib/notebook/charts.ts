/** The charts of the reports: curves, bars and matrices, with labelled axes and colours everyone can tell apart. */
import { figure, Figure, figureBundle, Trace } from './figure';
import { show } from './display';
import { DASHES, PALETTE, SEQUENTIAL } from './palette';

export interface Axis {
  label: string;
  /** Appended in brackets: { label: 'Time', unit: 's' } reads "Time (s)". */
  unit?: string;
  scale?: 'linear' | 'log';
  range?: readonly [number, number];
}

export interface ChartOptions {
  title: string;
  /** What the axes show; a string is a label without unit. */
  x: Axis | string;
  y: Axis | string;
  /** Pixels. Default 380. */
  height?: number;
}

export interface Series {
  name: string;
  y: ArrayLike<number>;
  /** Default 1, 2, 3, … as epochs are counted. */
  x?: ArrayLike<number | string>;
  /** Drawn behind a line in its colour, such as a confidence interval: the lower and the upper end at each x. */
  band?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
}

/** Named values, one list a series. */
export type SeriesInput = readonly Series[] | Readonly<Record<string, ArrayLike<number>>>;

/** Plotly reads texts as a little HTML and drops tags it does not know; a word such as <unk> must show as it is. */
const literal = (text: unknown): string => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function axis(input: Axis | string): Record<string, unknown> {
  const { label, unit, scale = 'linear', range }: Axis = typeof input === 'string' ? { label: input } : input;
  if (!label) throw new TypeError('chart: both axes need a label; give x and y in the options.');
  const limits = range && (scale === 'log' ? range.map(Math.log10) : [...range]);
  return { title: { text: literal(unit ? `${label} (${unit})` : label) }, ...(scale === 'log' ? { type: 'log' } : {}), ...(limits ? { range: limits } : {}) };
}

function seriesList(input: SeriesInput): Series[] {
  const list: Series[] = Array.isArray(input) ? [...input as readonly Series[]] : Object.entries(input as Record<string, ArrayLike<number>>).map(([name, y]) => ({ name, y }));
  for (const { name, x, y, band } of list) {
    for (const [what, values] of [['x', x], ['low', band?.low], ['high', band?.high]] as const) {
      if (!values || values.length === y.length) continue;
      throw new RangeError(`chart: series ${JSON.stringify(name)} has ${values.length} ${what} values for ${y.length} y values.`);
    }
  }
  return list;
}

const layoutOf = (options: ChartOptions, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  title: { text: literal(options.title) }, ...(options.height ? { height: options.height } : {}), xaxis: axis(options.x), yaxis: axis(options.y), ...more,
});

const xValues = ({ x, y }: Series): (number | string)[] =>
  (x ? Array.from<number | string, number | string>(x, (value) => (typeof value === 'string' ? literal(value) : value)) : Array.from(y, (_, step) => step + 1));

/** The band of a series: along its upper end and back along the lower, an area for each stretch without gap; null parts them. */
function bandTrace(series: Series, color: string): Trace[] {
  if (!series.band) return [];
  const x = xValues(series), { low, high } = series.band;
  const outline: { x: (number | string | null)[]; y: (number | null)[] } = { x: [], y: [] };
  const known = (i: number) => Number.isFinite(low[i]) && Number.isFinite(high[i]);
  for (let from = 0; from < x.length; from++) {
    if (!known(from)) continue;
    let to = from;
    while (to + 1 < x.length && known(to + 1)) to++;
    const there = Array.from({ length: to - from + 1 }, (_, i) => from + i), back = [...there].reverse();
    if (outline.x.length > 0) { outline.x.push(null); outline.y.push(null); }
    outline.x.push(...there.map((i) => x[i]), ...back.map((i) => x[i]));
    outline.y.push(...there.map((i) => high[i]), ...back.map((i) => low[i]));
    from = to;
  }
  return [{
    ...outline, type: 'scatter', mode: 'lines', fill: 'toself', fillcolor: transparent(color), line: { width: 0, color },
    hoverinfo: 'skip', showlegend: false, legendgroup: literal(series.name),
  }];
}

/** A colour of the palette, one fifth opaque. */
const transparent = (color: string): string => `rgba(${[1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)).join(',')},0.2)`;

/** A few whole numbers, such as epochs, have ticks at whole numbers alone. */
function wholeTicks(list: readonly Series[], x: Axis | string): { dtick?: 1 } {
  const values = list.flatMap(xValues), numbers = values.filter((value): value is number => Number.isInteger(value));
  if (numbers.length === 0 || numbers.length < values.length || (typeof x === 'object' && x.scale === 'log')) return {};
  return Math.max(...numbers) - Math.min(...numbers) <= 12 ? { dtick: 1 } : {};
}

/** The figure of {@link lineChart}. */
export function lineFigure(input: SeriesInput, options: ChartOptions): Figure {
  const list = seriesList(input);
  const color = (i: number) => PALETTE[i % PALETTE.length];
  const traces = list.map((series, i): Trace => ({
    type: 'scatter',
    // A point alone makes no line, and a few points are worth seeing.
    mode: series.y.length <= 30 ? 'lines+markers' : 'lines',
    name: literal(series.name),
    x: xValues(series),
    y: Array.from(series.y),
    line: { color: color(i), dash: DASHES[i % DASHES.length], width: 2 },
    ...(series.band ? { legendgroup: literal(series.name) } : {}),
  }));
  const bands = list.flatMap((series, i) => bandTrace(series, color(i)));
  const layout = layoutOf(options, { showlegend: traces.length > 1 });
  return figure([...bands, ...traces], { ...layout, xaxis: { ...(layout.xaxis as object), ...wholeTicks(list, options.x) } });
}

/**
 * Shows one or more curves, with bands where series have them. Values that are not numbers (a validation loss not measured at a step)
 * leave gaps.
 *
 *     await lineChart({ training: history.loss, validation: history.validationLoss }, { title: 'Loss', x: 'Epoch', y: { label: 'Cross entropy', unit: 'nats per word' } });
 */
export async function lineChart(input: SeriesInput, options: ChartOptions): Promise<void> {
  show(await figureBundle(lineFigure(input, options)));
}

/** The figure of {@link barChart}. */
export function barFigure(input: Readonly<Record<string, number>> | readonly Series[], options: ChartOptions): Figure {
  const one = !Array.isArray(input);
  const list = one ? [{ name: options.title, x: Object.keys(input), y: Object.values(input as Record<string, number>) }] : seriesList(input as readonly Series[]);
  const traces = list.map(({ name, x, y }, i): Trace => ({
    type: 'bar', name: literal(name), x: Array.from<number | string, string>(x ?? Array.from(y, (_, k) => k + 1), literal), y: Array.from(y), marker: { color: PALETTE[i % PALETTE.length] },
  }));
  const layout = layoutOf(options, { showlegend: !one && traces.length > 1, barmode: 'group' });
  return figure(traces, { ...layout, xaxis: { ...(layout.xaxis as object), type: 'category' } });
}

/** Shows bars: one value a name, or several series over the same names side by side. */
export async function barChart(input: Readonly<Record<string, number>> | readonly Series[], options: ChartOptions): Promise<void> {
  show(await figureBundle(barFigure(input, options)));
}

export interface HeatmapOptions extends ChartOptions {
  /** Names of the columns and of the rows; the first row is drawn at the top. */
  xLabels?: readonly string[];
  yLabels?: readonly string[];
  /** What the colours show. */
  value?: string;
  /** Writes each value into its cell. */
  cellValues?: boolean;
}

/** The figure of {@link heatmap}. */
export function heatmapFigure(rows: readonly ArrayLike<number>[], options: HeatmapOptions): Figure {
  const width = rows[0]?.length ?? 0;
  const { xLabels = Array.from({ length: width }, (_, i) => String(i + 1)), yLabels = rows.map((_, i) => String(i + 1)), value = '' } = options;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged >= 0) throw new RangeError(`heatmap: row ${ragged + 1} has ${rows[ragged].length} values, the first has ${width}.`);
  if (xLabels.length !== width || yLabels.length !== rows.length) {
    throw new RangeError(`heatmap: ${yLabels.length}×${xLabels.length} labels for ${rows.length}×${width} values.`);
  }
  // Plotly merges categories of the same name, and a caption may hold a word twice: positions on the axes, names as their ticks.
  const ticks = (labels: readonly string[]): Record<string, unknown> => ({ tickmode: 'array', tickvals: labels.map((_, i) => i), ticktext: labels.map(literal) });
  const layout = layoutOf(options);
  const trace: Trace = { type: 'heatmap', z: rows.map((row) => Array.from(row)), colorscale: SEQUENTIAL, colorbar: { title: { text: literal(value) } } };
  return figure([options.cellValues ? { ...trace, texttemplate: '%{z}' } : trace], {
    ...layout, xaxis: { ...(layout.xaxis as object), ...ticks(xLabels) }, yaxis: { ...(layout.yaxis as object), ...ticks(yLabels), autorange: 'reversed' },
  });
}

/** Shows a matrix as colours, e.g. attention of words over cells or a confusion matrix. */
export async function heatmap(rows: readonly ArrayLike<number>[], options: HeatmapOptions): Promise<void> {
  show(await figureBundle(heatmapFigure(rows, options)));
}
