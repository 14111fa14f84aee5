/** The notebook as a file: what is kept of an executed one, and how large it may be. */

export interface Output {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error';
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
  [key: string]: unknown;
}

export interface NotebookCell {
  id?: string;
  cell_type: 'code' | 'markdown' | 'raw';
  source: string | string[];
  metadata: Record<string, unknown>;
  outputs?: Output[];
  execution_count?: number | null;
}

export interface Notebook { cells: NotebookCell[]; metadata: Record<string, unknown>; nbformat: number; nbformat_minor: number }

/** Largest size of a committed notebook, in bytes. */
export const SIZE_LIMIT = 2_000_000;

export const textOf = (lines: string | string[] | undefined): string => (Array.isArray(lines) ? lines.join('') : lines ?? '');

/** Jupyter keeps long texts as lists of lines, so that differences can be read. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const KEPT_CELL_METADATA = ['tags', 'jupyter', 'slideshow', 'editable', 'deletable'];

const NOTEBOOK_METADATA = {
  kernelspec: { display_name: 'TypeScript (captioning)', language: 'typescript', name: 'tslab' },
  language_info: {
    codemirror_mode: { mode: 'typescript', name: 'javascript', typescript: true },
    file_extension: '.ts', mimetype: 'text/typescript', name: 'typescript', version: '',
  },
};

/** Joins neighbouring pieces of the same stream: how a stream was cut differs from run to run. */
function joinStreams(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined[joined.length - 1];
    if (output.output_type === 'stream' && last?.output_type === 'stream' && last.name === output.name) {
      joined[joined.length - 1] = { ...last, text: linesOf(textOf(last.text) + textOf(output.text)) };
    } else joined.push(output);
  }
  return joined;
}

/**
 * What is committed of an executed notebook: no times, no state of the editor, the same metadata whoever ran it. Cells keep their
 * ids; cells without one get their number.
 */
export function cleanNotebook(notebook: Notebook): Notebook {
  const cells = notebook.cells.map((cell, i): NotebookCell => {
    const metadata = Object.fromEntries(Object.entries(cell.metadata ?? {}).filter(([key]) => KEPT_CELL_METADATA.includes(key)));
    const id = cell.id ?? `cell-${String(i + 1).padStart(2, '0')}`;
    return { ...cell, id, metadata, ...(cell.outputs ? { outputs: joinStreams(cell.outputs) } : {}) };
  });
  const { captioning } = notebook.metadata;
  return { cells, metadata: { ...(captioning ? { captioning } : {}), ...NOTEBOOK_METADATA }, nbformat: 4, nbformat_minor: 5 };
}

/** Text of the file, as Jupyter writes it. */
export const notebookText = (notebook: Notebook): string => `${JSON.stringify(notebook, null, 1)}\n`;

const kilobytes = (bytes: number): string => (bytes < 10_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${Math.round(bytes / 1000)} kB`);

/** One line on what makes a notebook too large; undefined if it is not. */
export function sizeProblem(notebook: Notebook, limit = SIZE_LIMIT): string | undefined {
  const bytes = Buffer.byteLength(notebookText(notebook));
  if (bytes < limit) return undefined;
  const parts: { bytes: number; what: string }[] = [];
  let number = 0;
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code' || !textOf(cell.source).trim()) continue;
    number++;
    for (const output of cell.outputs ?? []) {
      const entries = output.data ? Object.entries(output.data) : [[output.name ?? output.output_type, output.text ?? output] as const];
      for (const [type, content] of entries) parts.push({ bytes: Buffer.byteLength(JSON.stringify(content)), what: `code cell ${number} ${type}` });
    }
  }
  const largest = parts.sort((a, b) => b.bytes - a.bytes).slice(0, 3).map((part) => `${part.what} ${kilobytes(part.bytes)}`);
  return `${kilobytes(bytes)}, and a committed notebook must stay below ${kilobytes(limit)}. Largest outputs: ${largest.join('; ')}. `
    + 'Show fewer or smaller pictures (options size and format of imageGrid and attentionGrid) or fewer points in charts.';
}
