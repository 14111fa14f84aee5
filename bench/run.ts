/**
 * Runs the benchmarks one after another: `npm run bench` all of them, `npm run bench -- images recurrent` some. Each prints
 * its own ratios against the named peer; set BENCH_PYTHON or install bench/requirements.txt for the peers.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { benchPython } from './peer';

const known = fs.readdirSync(__dirname).map((name) => path.parse(name)).filter(({ name, ext }) => ext === '.ts' && !['run', 'peer'].includes(name)).map(({ name }) => name).sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length) {
  console.error(`No benchmark called ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  process.exit(2);
}
let failed = 0;
for (const name of wanted.length ? wanted : known) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, ['--require', 'tsx/cjs', path.join(__dirname, `${name}.ts`)], { stdio: 'inherit', env: { ...process.env, BENCH_PYTHON: benchPython() } });
  if (status !== 0) failed++;
}
process.exitCode = failed ? 1 : 0;
