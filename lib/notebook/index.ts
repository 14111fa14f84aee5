/** What a cell shows: progress, tables, pictures with captions, charts, attention over a picture; and the stop button. */
import { kernelLink } from './display';
import { isNotebookPlot, plotBundle } from './plotly-notebook';
import { isFrame, tableBundle } from './tables';

export * from './attention-grid';
export * from './charts';
export * from './classification-charts';
export * from './display';
export * from './duration';
export * from './figure';
export * from './image-grid';
export * from './interruptible';
export * from './palette';
export * from './plotly-notebook';
export * from './prediction-grid';
export * from './progress';
export * from './reload';
export type { PictureSource } from './sheet';
export * from './tables';

// As the last value of a cell, danfojs' frames and plotly-notebook-js' plots show as what they are; neither package knows this kernel.
const link = kernelLink();
if (link) link.describe = (value) => (isFrame(value) ? tableBundle(value) : isNotebookPlot(value) ? plotBundle(value) : undefined);
