/** Grading from the command line: see USAGE. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseShard } from '../lib/experiments/sweep-shards';
import { formatDuration } from '../lib/notebook/duration';
import { kubernetesJobs, slurmScripts } from './grade/cluster';
import { gradeWork, type GradeOptions } from './grade/grade-work';
import { writeReport } from './grade/report';
import { countStatuses } from './grade/rows';
import { Work } from './grade/work';
import { buildFolder, NotebookError, writeWhole } from './notebooks/environment';

const USAGE = `Usage:
  npm run grade -- [options] PLACES…         runs notebooks, or all in folders, and writes a report
  npm run grade -- plan [options] PLACES…    only makes the work list; with --slurm or --kubernetes also the jobs for a cluster
  npm run grade -- work FOLDER --shard i/n   runs the i-th of n parts of a work list
  npm run grade -- merge FOLDER              writes the report of all parts

  --output FOLDER      of work list, results and report (default build/grading); run again, it goes on where it stopped
  --timeout MINUTES    for one notebook (default 30)
  --memory MEGABYTES   for all processes of one notebook (default 6000)
  --jobs N             notebooks at a time (default: by cores and memory; for a cluster, in one task: 1)
  --restart            forget the results that are there
  --slurm --shards N                          a job array for sbatch
  --kubernetes --shards N --image I --claim C   an indexed Job; I holds this project set up, C is the claim of the work list's volume

Each notebook runs in a process and a copy of data/ and weights/ of its own, with none of its outputs and none of your credentials. It
still runs with your rights: take a container or a user without any for people you do not trust.
Scores: tag a cell of your template \`score\`; the numbers it prints as "name: 0.5" lines, or as JSON or an object, stand in the report.
Exit code: 0 every notebook was run, passed or not; 1 some could not be run or are missing; 2 wrong command line; 130 stopped.`;

class UsageError extends Error {}

interface Values {
  output?: string; timeout?: string; memory?: string; jobs?: string; shard?: string; shards?: string; image?: string; claim?: string;
  restart?: boolean; slurm?: boolean; kubernetes?: boolean; help?: boolean;
}

function positive(name: string, text: string | undefined, fallback: number, whole = false): number {
  const value = text === undefined ? fallback : Number(text);
  if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return value;
  throw new UsageError(`--${name} ${text}: give a ${whole ? 'whole ' : ''}number above 0.`);
}

function planned(places: string[], values: Values): Work {
  if (places.length === 0) throw new UsageError('Name notebooks or folders of them.');
  const work = Work.plan(path.resolve(values.output ?? path.join(buildFolder, 'grading')), places, {
    timeout: positive('timeout', values.timeout, 30), memory: positive('memory', values.memory, 6000),
    profile: process.env.PROFILE || 'small',
  });
  if (values.restart) work.restart();
  return work;
}

/** Runs a work list or a part of it; resolves to whether all of it is done. */
async function run(work: Work, { jobs, shard }: Values): Promise<boolean> {
  const stop = new AbortController(), onSignal = (): void => stop.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const options: GradeOptions = {
    jobs: jobs === undefined ? undefined : positive('jobs', jobs, 1, true), signal: stop.signal,
    onResult({ names, result: { status, message, seconds, peak }, done, total }) {
      const sign = status === 'passed' ? '✓' : '✗', first = message.split('\n')[0].slice(0, 120);
      const parts = [status, formatDuration(seconds), `${Math.round(peak / 1e6)} MB`, first].filter(Boolean).join(' · ');
      console.log(printable(`${sign} ${done}/${total} ${names.join(', ')}: ${parts}`));
    },
  };
  try {
    if (shard !== undefined) options.shard = parseShard(shard);
  } catch { throw new UsageError(`--shard ${shard}: expected i/n with i from 1 to n, such as 2/4.`); }
  try { return await gradeWork(work, options); } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    if (stop.signal.aborted) {
      console.log('Stopped; the same command goes on.');
      process.exitCode = 130;
    }
  }
}

const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '?');

function report(work: Work): void {
  const { rows, page } = writeReport(work);
  console.log(`${countStatuses(rows).map(([status, count]) => `${count} ${status}`).join(', ')}\n${page}`);
  if (rows.some(({ result }) => !result || result.status === 'error')) process.exitCode ||= 1;
}

function plan(places: string[], values: Values): void {
  const work = planned(places, values);
  console.log(`${work.submissions.length} submissions, ${work.keys.length} different notebooks: ${path.join(work.folder, 'work.json')}`);
  const shards = positive('shards', values.shards, Math.min(work.keys.length, 16), true), jobs = positive('jobs', values.jobs, 1, true);
  const cluster = { shards, jobs };
  const write = (name: string, text: string): string => {
    writeWhole(path.join(work.folder, name), text);
    return path.join(work.folder, name);
  };
  if (values.slurm) {
    const { array, merge } = slurmScripts(work, cluster);
    fs.mkdirSync(path.join(work.folder, 'logs'), { recursive: true });
    const [first, second] = [write('slurm-array.sh', array), write('slurm-merge.sh', merge)];
    console.log(`sbatch --dependency=afterany:$(sbatch --parsable "${first}") "${second}"`);
  }
  if (values.kubernetes) {
    if (!values.image || !values.claim) throw new UsageError('--kubernetes needs --image and --claim.');
    const { array, merge } = kubernetesJobs(work, { ...cluster, image: values.image, claim: values.claim });
    const [first, second] = [write('kubernetes-job.yaml', array), write('kubernetes-merge.yaml', merge)];
    const wait = 'kubectl wait --for=condition=complete --timeout=-1s job/grade';
    console.log(`kubectl apply -f "${first}" && ${wait} && kubectl apply -f "${second}"`);
  }
}

const text = { type: 'string' } as const, flag = { type: 'boolean' } as const;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args, allowPositionals: true,
    options: {
      output: text, timeout: text, memory: text, jobs: text, shard: text, shards: text, image: text, claim: text,
      restart: flag, slurm: flag, kubernetes: flag, help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return console.log(USAGE);
  const [command, ...rest] = positionals;
  if (command === 'plan') return plan(rest, values);
  if (command === 'work' || command === 'merge') {
    if (rest.length !== 1) throw new UsageError(`${command} takes the folder of a work list.`);
    const work = Work.open(path.resolve(rest[0]));
    if (command === 'merge') return report(work);
    if (!await run(work, values)) process.exitCode ||= 1;
    return;
  }
  const work = planned(positionals, values);
  await run(work, values);
  report(work);
}

main(process.argv.slice(2)).catch((error: NodeJS.ErrnoException) => {
  const usage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
  if (usage) console.error(`✗ ${error.message}\n\n${USAGE}`);
  else console.error(error instanceof NotebookError ? `✗ ${error.message}` : error);
  process.exitCode = usage ? 2 : 1;
});
