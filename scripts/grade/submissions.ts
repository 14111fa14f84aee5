/** Notebooks that were handed in: where they are, what is in them. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { NotebookError } from '../notebooks/environment';
import { textOf, type Notebook } from '../notebooks/notebook-file';

export interface Submission {
  /** As the report shows it: the path below the folder that was given. */
  name: string;
  /** Of the file's bytes: what is run once, however many hand it in. */
  key: string;
}

/** Larger files are refused unread. */
const MOST_BYTES = 100e6;
const SKIPPED = new Set(['node_modules', '.ipynb_checkpoints']);

/**
 * The notebooks in folders, and those named themselves, in a lasting order. Links are not followed.
 *
 * @throws NotebookError when a place does not exist, or holds no notebook
 */
export function findSubmissions(places: readonly string[]): { name: string; file: string }[] {
  const found = places.flatMap((place) => {
    const file = path.resolve(place), stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat) throw new NotebookError(`${place}: there is no such file or folder.`);
    if (!stat.isDirectory()) {
      if (file.endsWith('.ipynb')) return [{ name: path.basename(file), file }];
      throw new NotebookError(`${place} is no notebook: expected a name that ends in .ipynb, or a folder.`);
    }
    const inside = notebooksBelow(file).map((each) => ({ name: path.relative(file, each), file: each }));
    if (inside.length === 0) throw new NotebookError(`${place} holds no notebook (.ipynb).`);
    return inside;
  });
  const files = [...new Map(found.map((each) => [each.file, each])).values()];
  // Several folders may use the same names: then more of the path tells them apart.
  const names = new Map<string, number>();
  for (const { name } of files) names.set(name, (names.get(name) ?? 0) + 1);
  return files.map(({ name, file }) => ({ name: names.get(name)! > 1 ? path.relative(process.cwd(), file) : name, file }));
}

function notebooksBelow(folder: string): string[] {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return notebooksBelow(file);
    return entry.isFile() && entry.name.endsWith('.ipynb') ? [file] : [];
  });
}

/** What a submission's results are kept by. @throws NotebookError when it is too large */
export function readSubmission(file: string): { key: string; bytes: Buffer } {
  const { size } = fs.statSync(file);
  if (size > MOST_BYTES) throw new NotebookError(`${file}: ${Math.round(size / 1e6)} MB: expected ${MOST_BYTES / 1e6} at most.`);
  const bytes = fs.readFileSync(file);
  return { key: createHash('sha256').update(bytes).digest('hex').slice(0, 24), bytes };
}

const OUTPUTS = ['stream', 'display_data', 'execute_result', 'error'] as const;
const lines = z.union([z.string(), z.array(z.string())]);
const schema = z.object({
  nbformat: z.literal(4, { error: 'expected a notebook of format 4 (open and save it in JupyterLab)' }),
  cells: z.array(z.object({
    cell_type: z.enum(['code', 'markdown', 'raw']),
    source: lines,
    metadata: z.looseObject({ tags: z.array(z.string()).optional() }).default({}),
    outputs: z.array(z.looseObject({ output_type: z.enum(OUTPUTS), text: lines.optional() })).optional(),
  })),
});

/**
 * A notebook as far as grading reads it.
 *
 * @throws Error with the reason when the text is no notebook, or none with code
 */
export function parseSubmission(text: string): Notebook {
  let json: unknown;
  try { json = JSON.parse(text); } catch (error) { throw new Error(`no notebook: ${(error as Error).message}`); }
  const result = schema.safeParse(json);
  if (!result.success) {
    const problems = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`no notebook: ${problems.join('; ')}`);
  }
  const notebook = { ...result.data, metadata: {}, nbformat_minor: 5 } as unknown as Notebook;
  if (notebook.cells.some(({ cell_type, source }) => cell_type === 'code' && textOf(source).trim())) return notebook;
  throw new Error('no cell holds code');
}

/** What is run of a submission: its cells and their tags. No output, no count and nothing else of the file reaches the run. */
export function clearedNotebook({ cells }: Notebook): Notebook {
  return {
    cells: cells.map(({ cell_type, source, metadata }, i) => ({
      id: `cell-${String(i + 1).padStart(2, '0')}`, cell_type, source: textOf(source),
      metadata: { tags: (metadata.tags as string[] | undefined) ?? [] },
      ...(cell_type === 'code' ? { outputs: [], execution_count: null } : {}),
    })),
    metadata: { kernelspec: { name: 'tslab', display_name: 'TypeScript (captioning)', language: 'typescript' } },
    nbformat: 4, nbformat_minor: 5,
  };
}
