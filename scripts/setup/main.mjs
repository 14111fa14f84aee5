// The order of set-up: what is missing is found first and without writing, so that a finished checkout may be read-only.
import fs from 'node:fs';
import { acquireLock } from './lock.mjs';
import { installPackages } from './npm-packages.mjs';
import { installPython, registerKernel } from './python-environment.mjs';
import { buildAddon, installTensorFlow } from './tensorflow.mjs';
import { buildLibrary } from './library.mjs';
import { checkDisk, checkLibraries, checkPlatform } from './machine.mjs';
import { at, logFile, perform, root, SetupError, stopOnSignals } from './steps.mjs';

/** In the order they are done; each says by `isDone` whether it has to be. */
export const steps = [installPackages, installPython, installTensorFlow, buildAddon, registerKernel, buildLibrary];

export const pending = () => steps.filter((step) => !step.isDone());

const say = (line) => console.log(line);

function explain(error) {
  if (error instanceof SetupError) {
    if (error.output) console.error(error.output.trim().split('\n').slice(-25).map((line) => `  | ${line}`).join('\n'));
    return error.message;
  }
  if (error.code === 'ENOSPC') return 'the disk is full: free some space and run it again.';
  if (['EACCES', 'EROFS', 'EPERM'].includes(error.code)) {
    return `${error.dest ?? error.path ?? root} cannot be written (${error.code}): give yourself write access to it, or clone where you have it, and run it again.`;
  }
  return `unexpected error, see environment.md, Troubleshooting: ${error.stack}`;
}

/** Sets up what is missing; returns the exit code. */
export async function setUp(options) {
  const unknown = options.find((option) => option !== '--quiet' && option !== '--fresh');
  let release = () => {};
  try {
    if (unknown) throw new SetupError(`${unknown} is not an option: use --quiet or --fresh.`);
    checkPlatform();
    if (options.includes('--fresh')) for (const step of steps) step.forget();
    if (pending().length === 0) {
      if (!options.includes('--quiet')) say('Set-up: nothing to do.');
      return 0;
    }
    release = await acquireLock(at('.setup.lock'), say);
    stopOnSignals();
    const start = Date.now();
    const todo = pending();
    if (todo.length === 0) {
      say('Set-up: the other one did it all.');
      return 0;
    }
    fs.writeFileSync(logFile, '');
    // Everything that can be known beforehand, before minutes of downloads.
    checkLibraries();
    checkDisk(todo);
    for (const step of todo) step.check?.();
    for (const step of steps) await perform(step, say);
    say(`Set-up done in ${((Date.now() - start) / 1000).toFixed(0)} s.`);
    return 0;
  } catch (error) {
    console.error(`✗ Set-up stopped: ${explain(error)}`);
    return error.exitCode ?? 1;
  } finally {
    release();
  }
}
