// Running one set-up step: stamps, the log, and errors that end in one line.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { remedyFor } from './remedies.mjs';

export const root = path.resolve(import.meta.dirname, '..', '..');
export const at = (...parts) => path.join(root, ...parts);
export const logFile = at('.setup.log');

/** An expected failure: the message is the one line the user sees; `output` is what the failed command printed. */
export class SetupError extends Error {
  constructor(message, output = '') { super(message); this.output = output; }
}

export const read = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };
export const hash = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);
/** Complete or absent: writes beside the file and renames. */
export function writeWhole(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.tmp`, text);
  fs.renameSync(`${file}.tmp`, file);
}

/** Runs a command with its output in the log. */
export async function run(what, command, args, env = process.env) {
  const log = fs.openSync(logFile, 'a');
  const from = fs.fstatSync(log).size;
  fs.writeSync(log, `\n$ ${command} ${args.join(' ')}\n`);
  const code = await new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', log, log], env });
    child.on('error', (error) => { fs.writeSync(log, `${error.message}\n`); resolve(-1); });
    child.on('close', resolve);
  });
  fs.closeSync(log);
  if (code === 0) return;
  const output = fs.readFileSync(logFile).subarray(from).toString('utf8');
  throw new SetupError(`${what} failed: ${remedyFor(what, output)}`, output);
}

/**
 * Does one step unless its stamp already holds `key`. The stamp goes before the work starts and comes back after it, so that
 * a step cut off in the middle is done again. Returns whether it worked.
 */
export async function step(title, stamp, key, work, say = console.log) {
  if (read(stamp) === key) return false;
  const start = Date.now();
  say(`- ${title}`);
  fs.rmSync(stamp, { force: true });
  await work();
  writeWhole(stamp, key);
  say(`  done in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

/** The newest change of any file under a folder, as text: a key for "has the source changed". */
export function newest(folder, skip = new Set(['node_modules', 'dist'])) {
  let latest = 0, count = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.relative(folder, file).split(path.sep).some((part) => skip.has(part))) continue;
    latest = Math.max(latest, fs.statSync(file).mtimeMs);
    count++;
  }
  return `${count}:${latest}`;
}
