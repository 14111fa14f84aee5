// Running one set-up step: stamps, the log, and errors that end in one line.
//
// A step is { name, title(), isDone(), forget(), check?(), work(), size?() }. Its stamp goes before the work starts and comes back
// after it, so a step that was cut off is done again, and every step starts from a clean slate.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { noteChild } from './lock.mjs';
import { remedyFor, withoutCredentials } from './remedies.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const at = (...parts) => path.join(root, ...parts);
export const logFile = at('.setup.log');

/** An expected failure: the message is the one line the user sees; `output` is what the failed command printed. */
export class SetupError extends Error {
  constructor(message, output = '', exitCode = 1) { super(message); this.output = output; this.exitCode = exitCode; }
}

export const read = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };
export const hash = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);

/** Complete or absent: writes beside the file and renames. */
export function writeWhole(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.tmp`, text);
  fs.renameSync(`${file}.tmp`, file);
}

/** A step that is done while its stamp file holds `key()` and `witness`, a file it makes, is there. */
export function stamped({ stamp, key, witness, ...step }) {
  return {
    ...step,
    isDone: () => read(stamp) === key() && fs.existsSync(witness),
    forget: () => fs.rmSync(stamp, { force: true }),
    finish: () => writeWhole(stamp, key()),
  };
}

/** Does one step unless it is done, and says so. */
export async function perform(step, say) {
  if (step.isDone()) return;
  const start = Date.now();
  say(`- ${step.title()}`);
  step.forget();
  await step.work();
  step.finish?.();
  say(`  done in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

let current = null;
let interrupted = '';

/** Ctrl-C and the like end the command at work first, then set-up, with its lock given back. */
export function stopOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interrupted = signal;
      current?.kill('SIGTERM');
      setTimeout(() => current?.kill('SIGKILL'), 5000).unref();
    });
  }
}

const stopHere = (output = '') => new SetupError(`interrupted (${interrupted}): run it again to go on with the step it was at.`, output, interrupted === 'SIGINT' ? 130 : 143);

/** Runs a command with its output in the log, with a sign of life every half minute. `hint` is added to a failure's line. */
export async function run(what, command, args, { env = process.env, hint = '' } = {}) {
  if (interrupted) throw stopHere();
  const log = fs.openSync(logFile, 'a');
  const from = fs.fstatSync(log).size;
  fs.writeSync(log, `\n$ ${command} ${args.join(' ')}\n`);
  const start = Date.now();
  const sign = setInterval(() => console.log(`  ${what} is at work (${Math.round((Date.now() - start) / 1000)} s; .setup.log follows it)`), 30_000);
  const code = await new Promise((resolve) => {
    current = spawn(command, args, { cwd: root, stdio: ['ignore', log, log], env });
    if (current.pid) noteChild(current.pid, what);
    current.on('error', (error) => { fs.writeSync(log, `${error.message}\n`); resolve(-1); });
    current.on('close', (status, signal) => { if (signal) fs.writeSync(log, `ended by ${signal}\n`); resolve(status ?? -1); });
  });
  clearInterval(sign);
  current = null;
  noteChild(0);
  fs.closeSync(log);
  const printed = fs.readFileSync(logFile).subarray(from).toString('utf8'), output = withoutCredentials(printed);
  if (output !== printed) {
    fs.truncateSync(logFile, from);
    fs.appendFileSync(logFile, output);
  }
  if (interrupted) throw stopHere();
  if (code === 0) return;
  throw new SetupError(`${what} failed: ${remedyFor(what, output)}${hint}`, output);
}
