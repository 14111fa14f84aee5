/**
 * plotly-notebook-js, shown by this project's renderer. The package keeps its interface (createPlot, addTraces, deleteTraces,
 * restyle, data, layout); its own render() writes HTML that asks a server for plotly.js 1.5.1 and calls a function that plotly.js
 * no longer has, so it is replaced. Three slips of version 0.1.2 are mended too: addTraces without indices put the trace before
 * the last one instead of at the end, deleteTraces refused index 0, and it sorted indices as words (10 before 2).
 */
import { DISPLAY, Displayable, MimeBundle, show } from './display';
import { figure, figureBundle, Layout, Trace } from './figure';

/** A plot of plotly-notebook-js. The methods change it and return it, so calls can be chained; the last value of a cell is shown. */
export interface NotebookPlot extends Displayable {
  data: Trace[];
  layout: Layout;
  addTraces(traces: Trace | Trace[], indices?: number | number[]): NotebookPlot;
  deleteTraces(indices: number | number[]): NotebookPlot;
  restyle(update: Trace, indices?: number | number[]): NotebookPlot;
  /** Shows the plot here and now. */
  render(): Promise<void>;
}

type CreatePlot = (data?: Trace[], layout?: Layout) => NotebookPlot;

/** Whether a value looks like a plot made by plotly-notebook-js, this one's or the package's own. */
export function isNotebookPlot(value: unknown): value is Pick<NotebookPlot, 'data' | 'layout'> {
  const plot = value as Partial<NotebookPlot> & { scriptSource?: unknown } | null;
  return typeof plot === 'object' && plot !== null && Array.isArray(plot.data) && typeof plot.addTraces === 'function' && typeof plot.scriptSource === 'string';
}

/** The formats of a plot, for {@link show}. */
export const plotBundle = (plot: Pick<NotebookPlot, 'data' | 'layout'>): Promise<MimeBundle> => figureBundle(figure(plot.data, plot.layout));

/** plotly-notebook-js' createPlot. */
export function createPlot(data: Trace[] = [], layout: Layout = {}): NotebookPlot {
  const original = require('plotly-notebook-js') as { createPlot: CreatePlot };
  const plot = original.createPlot([...data], layout);
  const list = (indices: number | number[]): number[] => (Array.isArray(indices) ? indices : [indices]);
  const own: Pick<NotebookPlot, 'addTraces' | 'deleteTraces' | 'render'> & Displayable = {
    addTraces(traces, indices) {
      const added = Array.isArray(traces) ? traces : [traces];
      if (indices === undefined) {
        plot.data.push(...added);
        return plot;
      }
      const places = list(indices);
      if (places.length !== added.length) throw new RangeError(`addTraces: ${added.length} traces for ${places.length} indices.`);
      // From the front, so that an index means the place in the result; negative ones count from the end.
      const place = (index: number): number => (index < 0 ? Math.max(0, plot.data.length + 1 + index) : index);
      added.map((trace, i) => ({ trace, at: place(places[i]) })).sort((a, b) => a.at - b.at).forEach(({ trace, at }) => plot.data.splice(at, 0, trace));
      return plot;
    },
    deleteTraces(indices) {
      const gone = new Set(list(indices).map((index) => (index < 0 ? plot.data.length + index : index)));
      plot.data = plot.data.filter((_, i) => !gone.has(i));
      return plot;
    },
    async render() { show(await plotBundle(plot)); },
    [DISPLAY]: () => plotBundle(plot),
  };
  return Object.assign(plot, own);
}
