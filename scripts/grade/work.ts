/** The work list of a grading, and what is done of it: a folder that several machines may share. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { NotebookError, writeWhole } from '../notebooks/environment';
import { findSubmissions, readSubmission, type Submission } from './submissions';

const settingsSchema = z.object({
  /** Minutes for one notebook. */
  timeout: z.number().positive(),
  /** Megabytes of all processes of one notebook together. */
  memory: z.number().positive(),
  /** PROFILE of the notebooks. */
  profile: z.string(),
});
export type GradeSettings = z.infer<typeof settingsSchema>;

const workSchema = z.object({
  settings: settingsSchema,
  submissions: z.array(z.object({ name: z.string(), key: z.string().regex(/^[0-9a-f]{24}$/) })),
});

/** 'error' is no fault of the notebook: the run could not be made, and is made again next time. */
export const STATUSES = ['passed', 'failed', 'timeout', 'memory', 'died', 'invalid', 'error'] as const;
export type Status = typeof STATUSES[number];

const resultSchema = z.object({
  settings: settingsSchema,
  status: z.enum(STATUSES),
  /** Why it did not pass; empty if it did. */
  message: z.string(),
  /** Code cells that this run executed, of those that hold code. */
  ran: z.number(), cells: z.number(),
  seconds: z.number(),
  /** Highest resident memory of all its processes, in bytes. */
  peak: z.number(),
  scores: z.record(z.string(), z.number()),
  /** What came out otherwise than in the file that was handed in, a line each. */
  differences: z.array(z.string()),
  /** Whether report/pages has its page. */
  page: z.boolean(),
});
export type Result = z.infer<typeof resultSchema>;

export class Work {
  private constructor(readonly folder: string, readonly settings: GradeSettings, readonly submissions: readonly Submission[]) {}

  /**
   * Makes a work list of notebooks and copies them into the folder, which from then on needs nothing else. Results that are there stay.
   *
   * @throws NotebookError naming what cannot be read
   */
  static plan(folder: string, places: readonly string[], settings: GradeSettings): Work {
    const submissions = findSubmissions(places).map(({ name, file }): Submission => {
      const { key, bytes } = readSubmission(file), copy = path.join(folder, 'submissions', `${key}.ipynb`);
      if (!fs.existsSync(copy)) writeWhole(copy, bytes);
      return { name, key };
    });
    writeWhole(path.join(folder, 'work.json'), `${JSON.stringify({ settings, submissions }, null, 1)}\n`);
    return new Work(folder, settings, submissions);
  }

  /** @throws NotebookError when the folder has no work list */
  static open(folder: string): Work {
    const file = path.join(folder, 'work.json');
    const parsed = workSchema.safeParse(readJson(file));
    if (!parsed.success) throw new NotebookError(`${file} is no work list: make one with \`npm run grade -- plan\`.`);
    return new Work(folder, parsed.data.settings, parsed.data.submissions);
  }

  /** Every notebook once, in an order that depends on nothing but their content: what shards divide. */
  get keys(): string[] { return [...new Set(this.submissions.map(({ key }) => key))].sort(); }

  /** The copy of a notebook. */
  notebook(key: string): string { return path.join(this.folder, 'submissions', `${key}.ipynb`); }

  /** The executed notebook. */
  executed(key: string): string { return path.join(this.folder, 'results', `${key}.ipynb`); }

  get report(): string { return path.join(this.folder, 'report'); }
  get pages(): string { return path.join(this.report, 'pages'); }

  /** What is known of a notebook; undefined if it was not run yet, or under other settings. */
  result(key: string): Result | undefined {
    const parsed = resultSchema.safeParse(readJson(path.join(this.folder, 'results', `${key}.json`)));
    return parsed.success && JSON.stringify(parsed.data.settings) === JSON.stringify(this.settings) ? parsed.data : undefined;
  }

  /** Complete or absent, as a killed grader needs it. */
  save(key: string, result: Omit<Result, 'settings'>): void {
    writeWhole(path.join(this.folder, 'results', `${key}.json`), `${JSON.stringify({ settings: this.settings, ...result }, null, 1)}\n`);
  }

  /** Forgets all results. */
  restart(): void {
    for (const part of ['results', 'report']) fs.rmSync(path.join(this.folder, part), { recursive: true, force: true });
  }
}

function readJson(file: string): unknown {
  try { return JSON.parse(fs.readFileSync(file, 'utf8')); } catch { return undefined; }
}
