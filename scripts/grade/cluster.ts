/** The same work list for a cluster: a Slurm job array, or a Kubernetes indexed Job, whose tasks run a share each and share the folder. */
import path from 'node:path';
import { NotebookError, root } from '../notebooks/environment';
import type { Work } from './work';

export interface ClusterOptions {
  /** Tasks, each with a share of the notebooks. */
  shards: number;
  /** Notebooks at a time in one task, and the cores that it gets. */
  jobs: number;
}

export interface KubernetesOptions extends ClusterOptions {
  /** An image that holds this project, set up, as its working folder. */
  image: string;
  /** The volume claim that holds the folder of the work list. */
  claim: string;
}

/** For /bin/sh, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/** The longest that a task may take, by the time limit of its notebooks. */
function minutesOf(work: Work, { shards, jobs }: ClusterOptions): number {
  const share = Math.ceil(work.keys.length / shards);
  // Kernels start and pages are written beside what the limit counts.
  return Math.ceil(share / jobs) * (work.settings.timeout + 4) + 5;
}

const gigabytes = ({ settings: { memory } }: Work, jobs: number): number => Math.ceil((memory * jobs) / 1000) + 1;

/**
 * @returns the job array's script, and that of the job that merges
 * @throws NotebookError when a path cannot stand in a script's comments
 */
export function slurmScripts(work: Work, options: ClusterOptions): { array: string; merge: string } {
  const { shards, jobs } = options;
  if (/["\n\r%\\]/.test(work.folder)) {
    throw new NotebookError(`${work.folder}: sbatch cannot write logs to a folder with ", %, \\ or a line break in its name.`);
  }
  const script = (settings: string[], command: string): string =>
    ['#!/bin/bash', ...settings.map((each) => `#SBATCH ${each}`), 'set -euo pipefail', `cd ${quoted(root)}`, command, ''].join('\n');
  const log = (name: string) => `--output="${path.join(work.folder, 'logs', name)}"`, grade = `exec node_modules/.bin/tsx scripts/grade.ts`;
  return {
    array: script([
      '--job-name=grade', `--array=1-${shards}`, '--ntasks=1', `--cpus-per-task=${jobs}`, `--mem=${gigabytes(work, jobs)}G`,
      `--time=${minutesOf(work, options)}`, '--requeue', log('%A_%a.log'),
    ], `${grade} work --shard "$SLURM_ARRAY_TASK_ID/${shards}" --jobs ${jobs} ${quoted(work.folder)}`),
    merge: script(
      ['--job-name=grade-merge', '--ntasks=1', '--mem=1G', '--time=10', log('merge-%j.log')], `${grade} merge ${quoted(work.folder)}`),
  };
}

/** The Job and the Job that merges, as one YAML file each; strings as JSON writes them, which is YAML, too. */
export function kubernetesJobs(work: Work, options: KubernetesOptions): { array: string; merge: string } {
  const { shards, jobs, image, claim } = options, folder = '/grading';
  const job = (name: string, spec: string[], command: string, cores: number, memory: number): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
${spec.map((each) => `  ${each}\n`).join('')}  template:
    spec:
      restartPolicy: Never
      containers:
        - name: grade
          image: ${JSON.stringify(image)}
          command: ["/bin/sh", "-c", ${JSON.stringify(command)}]
          resources:
            requests: { cpu: ${cores}, memory: ${memory}Gi }
            limits: { memory: ${memory}Gi }
          volumeMounts:
            - { name: grading, mountPath: ${folder} }
      volumes:
        - name: grading
          persistentVolumeClaim: { claimName: ${JSON.stringify(claim)} }
`;
  const grade = 'exec node_modules/.bin/tsx scripts/grade.ts', seconds = minutesOf(work, options) * 60;
  return {
    array: job('grade', [
      'completionMode: Indexed', `completions: ${shards}`, `parallelism: ${shards}`, `backoffLimit: ${2 * shards}`,
      `activeDeadlineSeconds: ${3 * seconds}`,
    ], `${grade} work --shard "$((JOB_COMPLETION_INDEX + 1))/${shards}" --jobs ${jobs} ${folder}`, jobs, gigabytes(work, jobs)),
    merge: job('grade-merge', ['backoffLimit: 2'], `${grade} merge ${folder}`, 1, 1),
  };
}
