import type { Module, Parameter } from './module';

/** One line of a summary: a tensor, or with `depth` all tensors under one path. Made of plain values, so that any table shows it. */
export interface SummaryRow {
  /** Name in the checkpoint. */
  name: string;
  /** As the checkpoint has it, "64×3×7×7"; empty for several tensors together. */
  shape: string;
  /** Values; 0 for a tensor that an earlier line has counted. */
  count: number;
  /** 'buffer' is saved and loaded, never trained; 'tied' is an earlier line's tensor under another name. */
  trainable: 'yes' | 'no' | 'partly' | 'buffer' | 'tied';
}

export interface ModuleSummary {
  rows: SummaryRow[];
  /** Values in all parameters, buffers not counted, tied ones once. */
  parameters: number;
  /** Those of them that training may change. */
  trainable: number;
  /** The rows and the totals as an aligned table. */
  text: string;
  toString(): string;
}

export interface SummaryOptions {
  /** Parts of a name to tell apart: 1 gives a line a top-level module ("layer1"), 2 a block of it ("layer1.0"). Default: a line a tensor. */
  depth?: number;
}

const whole = (count: number): string => count.toLocaleString('en-US');

/** Every parameter and buffer of a module, in the module's order: names, shapes, counts, and whether training changes them. */
export function summarize(module: Module, { depth = Infinity }: SummaryOptions = {}): ModuleSummary {
  if (!(depth >= 1)) throw new Error(`A summary's depth is at least 1, not ${depth}.`);
  const groups = new Map<string, { name: string; parameter: Parameter; tied: boolean }[]>();
  const seen = new Set<Parameter>();
  for (const [name, parameter] of module.namedParameters()) {
    const key = name.split('.').slice(0, depth).join('.');
    groups.set(key, [...(groups.get(key) ?? []), { name, parameter, tied: seen.has(parameter) }]);
    seen.add(parameter);
  }
  const rows = [...groups].map(([name, entries]): SummaryRow => {
    const single = entries.length === 1 ? entries[0] : undefined;
    const counted = entries.filter(({ tied, parameter }) => !tied && !parameter.isBuffer).map(({ parameter }) => parameter);
    const buffers = entries.filter(({ parameter }) => parameter.isBuffer);
    const trained = counted.filter((parameter) => parameter.trainable).length;
    const untrained = counted.length > 0 ? 'no' : buffers.length > 0 ? 'buffer' : 'tied';
    const trainable = trained === 0 ? untrained : trained === counted.length ? 'yes' : 'partly';
    const sizes = trainable === 'buffer' ? buffers.map(({ parameter }) => parameter) : counted;
    return {
      name: single?.name ?? name, shape: single ? single.parameter.checkpointShape.join('×') || 'scalar' : '',
      count: sizes.reduce((sum, { size }) => sum + size, 0), trainable,
    };
  });
  const sum = (parameters: Parameter[]) => parameters.reduce((total, { size }) => total + size, 0);
  const parameters = sum(module.parameters()), trainable = sum(module.trainableParameters());

  const cells = [['name', 'shape', 'count', 'trainable'], ...rows.map((row) => [row.name, row.shape, whole(row.count), row.trainable])];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const pad = (cell: string, column: number) => (column === 2 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  const lines = cells.map((line) => line.map(pad).join('  ').trimEnd());
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  const text = [...lines, '', `${module.constructor.name}: ${whole(parameters)} parameters, ${whole(trainable)} of them trainable`].join('\n');
  return { rows, parameters, trainable, text, toString: () => text };
}
