/**
 * Plotly figures as plain data. The interactive chart in JupyterLab and in exported pages and the static picture on code hosting
 * sites are drawn from the same figure.
 */
import { describeFigure } from './describe-figure';
import { MimeBundle, show } from './display';
import { PALETTE } from './palette';
import { staticChart } from './static-chart';

/** A Plotly trace and layout: https://plotly.com/javascript/reference/ */
export type Trace = Record<string, unknown>;
export type Layout = Record<string, unknown>;

export interface Figure { data: Trace[]; layout: Layout }

/**
 * Plain JSON: typed arrays become lists, numbers keep six significant digits (more are not visible and cost room in the saved
 * notebook), NaN and infinities become gaps.
 */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => {
    if (ArrayBuffer.isView(item) && !(item instanceof DataView)) return Array.from(item as unknown as ArrayLike<number>);
    if (typeof item === 'bigint') return Number(item);
    return typeof item === 'number' && !Number.isInteger(item) ? Number(item.toPrecision(6)) : item;
  })) as T;
}

const LAYOUT: Layout = {
  height: 380,
  margin: { t: 48, r: 24, b: 56, l: 72 },
  colorway: PALETTE,
  font: { family: 'DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif', size: 13 },
  paper_bgcolor: '#ffffff',
  plot_bgcolor: '#ffffff',
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Adds the house style; a title given as a string becomes the object that plotly.js 3 and later insist on. */
export function figure(data: readonly Trace[], layout: Layout = {}): Figure {
  if (!Array.isArray(data) || data.some((trace) => !isObject(trace))) throw new TypeError('plot: data must be an array of Plotly traces (objects).');
  const styled: Layout = { ...LAYOUT, ...layout };
  if (typeof styled.title === 'string') styled.title = { text: styled.title };
  for (const [key, value] of Object.entries(styled)) {
    if (!/^[xy]axis\d*$/.test(key) || !isObject(value)) continue;
    styled[key] = { automargin: true, gridcolor: '#e5e5e5', linecolor: '#444', ...value, ...(typeof value.title === 'string' ? { title: { text: value.title } } : {}) };
  }
  return plain({ data: [...data], layout: styled });
}

/** The formats of a chart, for {@link show}: the interactive figure, a picture of it, and a line of text. */
export async function figureBundle(chart: Figure): Promise<MimeBundle> {
  return { 'application/vnd.plotly.v1+json': chart, ...(await staticChart(chart)), 'text/plain': describeFigure(chart) };
}

/**
 * Shows a Plotly chart. Scatter, line, bar, histogram and heatmap traces also get a static picture; others are interactive only.
 *
 *     await plot([{ x: [1, 2, 3], y: [3, 1, 2], type: 'bar' }], { title: 'Three bars', xaxis: { title: 'which' }, yaxis: { title: 'how many' } });
 */
export async function plot(data: readonly Trace[], layout: Layout = {}): Promise<void> {
  show(await figureBundle(figure(data, layout)));
}
