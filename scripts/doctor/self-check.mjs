// Runs probe.cjs in a process of its own: an addon that crashes, or a missing instruction, is then a finding.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { at } from '../setup/steps.mjs';

const probe = path.join(path.dirname(fileURLToPath(import.meta.url)), 'probe.cjs');
const deadline = 60_000; // ms; about two seconds are usual

export async function selfCheck() {
  const child = spawn(process.execPath, [probe, at()], { cwd: at(), stdio: ['ignore', 'pipe', 'pipe'], timeout: deadline, killSignal: 'SIGKILL' });
  let out = '', errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => { out += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk) => { errors += chunk; });
  const how = await new Promise((resolve) => { child.on('error', (error) => resolve(error.message)); child.on('close', (code, signal) => resolve(signal ?? code)); });
  const facts = out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  if (how !== 0) {
    const meaning = { SIGKILL: 'it did not answer, or memory ran out', SIGILL: 'the processor lacks an instruction TensorFlow needs', SIGSEGV: 'the addon crashed' }[how];
    facts.push({ name: 'self-check', value: `ended with ${how}${meaning ? `: ${meaning}` : ''}${errors.trim() ? ` (${errors.trim().split('\n').at(-1)})` : ''}`, state: 'broken', remedy: 'run `npm run setup -- --fresh`' });
  }
  return facts;
}
