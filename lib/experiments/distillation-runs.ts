/** All rows of report 002's knowledge distillation, each with several seeds; a run that has ended is read from its folder, not repeated. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { Random } from '../engine';
import { inProject } from '../project';
import { meanLoss, scheduleOf, train, type TrainOptions, type TrainResult } from '../training';
import { writeWhole } from '../whole-file';
import { DistilledStudent } from './distilled-student';
import { captionRecords, score, trainCaptioner } from './feature-captioning';
import { buildDistilled, type DistillationRow, type DistillationSetup } from './knowledge-distillation';
import { TeacherLessons, type DistillationTeacher } from './teacher-lessons';

const runSchema = z.object({
  /** The row's key. */
  row: z.string(),
  seed: z.number().int(),
  /** Of the captions of the test pictures, by beam search as the config says. */
  scores: z.object({ Bleu_4: z.number(), CIDEr: z.number(), METEOR: z.number(), ROUGE_L: z.number() }),
  /** Cross entropy per word of the validation captions, after each epoch. */
  valLoss: z.array(z.number()),
});

/** One trained student and what its captions of the test pictures are worth. */
export type DistillationRun = z.infer<typeof runSchema>;

export interface DistillationRunOptions extends Pick<TrainOptions<never>, 'signal' | 'onStep'> {
  /** Relative to the project's top folder. Every run lies in it under a hash of what it depends on: other settings make other runs. */
  folder: string;
}

/** The teacher, trained on its pictures; loaded if it is there. */
export async function trainTeacher(setup: DistillationSetup, { folder, ...callbacks }: DistillationRunOptions):
Promise<{ captioner: DistillationTeacher; run: TrainResult }> {
  const { config: { teacher: { training } }, teacherData, teacherFeatures, teacherEncoder } = setup;
  const random = new Random(training.seed);
  const captioner = buildDistilled('teacher', setup, teacherEncoder, random);
  const run = await trainCaptioner({
    captioner, dataset: teacherData, features: teacherFeatures, settings: training, random, ...callbacks,
    folder: path.join(folder, `teacher-${hashOf(teacherSettings(setup))}`),
  });
  return { captioner, run };
}

export interface DistillOptions extends DistillationRunOptions {
  rows: readonly DistillationRow[];
  /** Default: the config's. */
  seeds?: readonly number[];
  /** After each run, one that was there already included. */
  onRun?: (run: DistillationRun) => void;
}

/** Trains a student for every row and seed and scores its captions of the test pictures. What a signal cuts off, the next call finishes. */
export async function distill(setup: DistillationSetup, lessons: TeacherLessons, options: DistillOptions): Promise<DistillationRun[]> {
  const { rows, seeds = setup.config.seeds, signal, onRun, folder } = options, runs: DistillationRun[] = [];
  const add = (run: DistillationRun): void => { runs.push(run); onRun?.(run); };
  for (const row of rows) {
    for (const seed of seeds) {
      if (signal?.aborted) return runs;
      const done = readRun(runFolder(setup, row, seed, folder));
      if (done) { add(done); continue; }
      const { student, run } = await trainStudent(setup, lessons, row, seed, options);
      try { if (run) add(run); } finally { student.dispose(); }
    }
  }
  return runs;
}

/**
 * One student, trained, or loaded where it is there; the caller disposes it.
 *
 * @returns `run` is missing where the signal came first
 */
export async function trainStudent(setup: DistillationSetup, lessons: TeacherLessons, row: DistillationRow, seed: number,
  { folder, signal, onStep }: DistillationRunOptions): Promise<{ student: DistilledStudent; run?: DistillationRun }> {
  const { config: { student: { training }, numBeams }, studentData, studentFeatures } = setup;
  const { epochs, learningRate, schedule, maxGradNorm } = training;
  const random = new Random(seed), student = DistilledStudent.build(setup, row, random), at = runFolder(setup, row, seed, folder);
  try {
    const validation = student.validationBatches();
    const { history, interrupted } = await train({
      model: student, epochs, maxGradNorm, random, folder: at, signal, onStep,
      optimizer: { learningRate, rateFactor: student.rateFactor }, schedule: schedule && scheduleOf(schedule),
      loss: (batch) => student.loss(batch),
      batches: student.batches(lessons, seed),
      validate: async () => ({ valLoss: await meanLoss(validation, (batch) => student.wordLoss(batch)) }),
    });
    if (interrupted) return { student };
    const test = studentData.split('test');
    const { Bleu_4, CIDEr, METEOR, ROUGE_L } = score(test, captionRecords(student, test, studentFeatures, { numBeams })).corpus;
    const run = { row: row.key, seed, scores: { Bleu_4, CIDEr, METEOR, ROUGE_L }, valLoss: history.map(({ metrics }) => metrics.valLoss) };
    writeWhole(path.join(at, 'run.json'), `${JSON.stringify(run)}\n`);
    return { student, run };
  } catch (error) {
    student.dispose();
    throw error;
  }
}

const hashOf = (settings: unknown): string => createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 10);

/** All that the teacher depends on. */
const teacherSettings = ({ config, teacherData, teacherEncoder }: DistillationSetup): unknown => {
  const { teacher, teacherShare, splitSeed, minCount } = config;
  return [teacher, teacherShare, splitSeed, minCount, teacherEncoder.fingerprint, teacherData.records.map(({ id }) => id)];
};

function runFolder(setup: DistillationSetup, { name, ...row }: DistillationRow, seed: number, folder: string): string {
  const { config: { student, fineTunedStages, encoderRate, numBeams, lengthPenalty }, studentData, studentTrunk } = setup;
  const own = [student, fineTunedStages, encoderRate, numBeams, lengthPenalty, studentTrunk.fingerprint];
  const settings = [teacherSettings(setup), own, studentData.records.map(({ id }) => id), row];
  return inProject(folder, `${row.key}-${hashOf(settings)}`, `seed-${seed}`);
}

function readRun(folder: string): DistillationRun | undefined {
  const file = path.join(folder, 'run.json');
  if (!fs.existsSync(file)) return undefined;
  try {
    return runSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch {
    throw new Error(`${file} is no result of a student: delete ${folder} and run this again.`);
  }
}
