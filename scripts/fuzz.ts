/** Damaged and hostile inputs for every reader of outside data: see USAGE. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/run';
import { targets } from './fuzz/targets';

const USAGE = `Usage:
  npm run fuzz -- [options]
      --seconds N          how long for each target (default 60)
      --seed N             cases are the same for the same seed (default 1)
      --target NAMES       some of the targets, with commas between
      --case N             this case alone: what a failure's log says

Failing inputs are kept in build/fuzz, with a log each that says how to run them again. Targets:
  ${targets.map(({ name }) => name).join(', ')}`;

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seconds: text, seed: text, target: text, case: text, help: { type: 'boolean', short: 'h' } } });
  if (values.help) { console.log(USAGE); return 0; }
  const number = (name: 'seconds' | 'seed' | 'case', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!(value >= 0 && value <= 2 ** 32)) throw new Error(`--${name} is ${values[name]}: expected a number from 0 on.\n\n${USAGE}`);
    return value;
  };
  const chosen = values.target?.split(',').map((name) => {
    const target = targets.find((one) => one.name === name);
    if (!target) throw new Error(`There is no target ${name}.\n\n${USAGE}`);
    return target;
  }) ?? targets;
  const seed = number('seed', 1), output = path.join(__dirname, '..', 'build', 'fuzz');
  let failed = 0;
  const options = { seed, seconds: number('seconds', 60), output, ...(values.case !== undefined && { from: number('case', 0), cases: 1 }) };
  for (const target of chosen) {
    for (const { cases, accepted, failures } of await fuzz([target], options)) {
      console.log(`${target.name}: ${cases} cases, ${accepted} of them read, ${failures.length} kinds of failure`);
      for (const { reason, detail, folder } of failures) {
        const start = detail.split('\n').slice(0, 6).map((line) => `    ${line.slice(0, 200)}`);
        console.log([`  ${path.relative('', folder)}: ${reason}`, ...start].join('\n'));
      }
      failed += failures.length;
    }
  }
  return failed ? 1 : 0;
}

main().then((code) => { process.exitCode = code; }, (error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
