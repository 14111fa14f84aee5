/** Damaged and hostile inputs for every reader of outside data: see USAGE. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { resultText, totalsText } from './fuzz/report';
import { fuzz } from './fuzz/run';
import { targets } from './fuzz/targets';

const USAGE = `Usage:
  npm run fuzz -- [options]
      --seconds N          how long for each target (default 60)
      --total-seconds N    how long for all together, each target as long as the others; start-up aside
      --jobs N             processes side by side, each with a share of the targets (default 1)
      --seed N             cases are the same for the same seed (default 1)
      --target NAMES       some of the targets, with commas between
      --case N             this case alone: what a failure's log says

Failing inputs are kept in build/fuzz, with a log each that says how to run them again. Targets:
  ${targets.map(({ name }) => name).join(', ')}`;

class UsageError extends Error { constructor(message: string) { super(`${message}\n\n${USAGE}`); } }

const text = { type: 'string' } as const;
const options = { 'seconds': text, 'total-seconds': text, 'jobs': text, 'seed': text, 'target': text, 'case': text,
  'help': { type: 'boolean', short: 'h' } } as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) { console.log(USAGE); return 0; }
  const number = (name: Exclude<keyof typeof values, 'help'>, fallback: number, least = 0): number => {
    const value = values[name] === undefined ? fallback : Number(values[name] || NaN);
    if (!(value >= least && value <= 2 ** 32)) throw new UsageError(`--${name} is ${values[name]}: expected a number from ${least} on.`);
    return value;
  };
  const chosen = values.target?.split(',').map((name) => {
    const target = targets.find((one) => one.name === name);
    if (!target) throw new UsageError(`There is no target ${name}.`);
    return target;
  }) ?? targets;
  if (values.seconds !== undefined && values['total-seconds'] !== undefined) {
    throw new UsageError('--seconds and --total-seconds exclude each other.');
  }
  const jobs = Math.min(Math.floor(number('jobs', 1, 1)), chosen.length), turns = Math.ceil(chosen.length / jobs);
  const seconds = values['total-seconds'] === undefined ? number('seconds', 60) : number('total-seconds', 60) / turns;
  const results = await fuzz(chosen, {
    seed: number('seed', 1), seconds, jobs, output: path.join(__dirname, '..', 'build', 'fuzz'),
    ...(values.case !== undefined && { from: number('case', 0), cases: 1 }),
    onResult: (result) => { console.log(resultText(result)); },
  });
  console.log(totalsText(results));
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

main().then((code) => { process.exitCode = code; }, (error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
