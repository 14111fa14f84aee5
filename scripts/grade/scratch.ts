/** A project of its own for one notebook: what it reads is copied, what it writes is thrown away. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pythonEnvironment, root } from '../notebooks/environment';

export interface Scratch {
  folder: string;
  /** Where the kernel works. */
  notebooks: string;
  /** The runner's copy of the notebook. */
  copy: string;
  /** All that the notebook's processes are told of the grader's environment. */
  environment: NodeJS.ProcessEnv;
}

/** Downloads and large data are linked: copies of them would fill the disk. */
const LINKED = new Set(['cache', 'flickr8k', 'coco']);

/** Names of variables that notebooks may see; credentials are not among them. */
const PASSED = new RegExp('^(PATH|LANG|LC_.*|TZ|TERM|JUPYTER_PREFER_ENV_PATH|PYDEVD_.*|PYTHONUTF8|TF_.*|OMP_.*|CUDA_.*|NVIDIA_.*|XLA_.*'
  + '|LD_LIBRARY_PATH|NODE_OPTIONS|[A-Z0-9_]+_DIR)$');

/** Removes what killed graders of this machine left. */
export function removeStaleScratch(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const pid = /^grade-(\d+)-\w{6}$/.exec(name)?.[1];
    if (pid && !fs.existsSync(`/proc/${pid}`)) fs.rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

/** @param environment what the notebook is told beside that */
export function makeScratch(environment: NodeJS.ProcessEnv): Scratch {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `grade-${process.pid}-`));
  const at = (...parts: string[]) => path.join(folder, ...parts);
  for (const name of ['notebooks', 'home', 'tmp', 'runner', 'data', 'weights']) fs.mkdirSync(at(name));
  fs.writeFileSync(at('package.json'), '{ "private": true }\n');
  fs.symlinkSync(path.join(root, 'node_modules'), at('node_modules'));
  for (const part of ['data', 'weights']) {
    const source = path.join(root, part);
    for (const name of fs.readdirSync(source)) {
      if (LINKED.has(name)) fs.symlinkSync(path.join(source, name), at(part, name));
      else fs.cpSync(path.join(source, name), at(part, name), { recursive: true, mode: fs.constants.COPYFILE_FICLONE });
    }
  }
  const passed = Object.entries(pythonEnvironment()).filter(([name]) => PASSED.test(name));
  return {
    folder, notebooks: at('notebooks'), copy: at('runner', 'notebook.ipynb'),
    environment: {
      ...Object.fromEntries(passed), HOME: at('home'), TMPDIR: at('tmp'), XDG_RUNTIME_DIR: at('tmp'), CAPTIONING_PROJECT: folder,
      ...environment,
    },
  };
}
