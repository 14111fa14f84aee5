/**
 * Runs benchmarks one after another: `npm run bench` all of them, `npm run bench -- images bert` some. Each prints its ratios; at the
 * end stands one table of all, and build/bench holds a JSON file of each. With `--keep` they go to bench/results instead, and the tables of
 * bench/README.md are written anew. Set BENCH_PYTHON, or install bench/requirements.txt, for the sides to compare with.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { benchPython } from './harness/peer';
import { markdown, type Results } from './harness/results';
import { writeTables } from './table';

const recurrentDecoders = ['attention-lstm-49', 'attention-lstm-196', 'attention-gru', 'lstm'];

/** What each runs; a name's file unless it says another. */
const benchmarks: Record<string, string[]> = {
  'vit-gpt2': [], 'vit-gpt2-bfloat16': ['vit-gpt2.ts', '--precision', 'bfloat16'], 'deit-transformer': [],
  // A process each, whose memory is measured.
  ...Object.fromEntries(recurrentDecoders.map((name) => [name, ['recurrent.ts', '--decoders', name]])),
  bert: [], encoders: [], generation: [], smolvlm: [], metrics: [], images: [],
};
/** Only on request: without instructions for bfloat16 it takes long, and says little. */
const onRequest = ['vit-gpt2-bfloat16'];

const keep = process.argv.includes('--keep'), wanted = process.argv.slice(2).filter((name) => name !== '--keep');
const unknown = wanted.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length) {
  console.error(`No benchmark called ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(2);
}
const folder = keep ? path.join(__dirname, 'results') : path.join(__dirname, '../build/bench'), failed: string[] = [], found: Results[] = [];
for (const name of wanted.length ? wanted : Object.keys(benchmarks).filter((one) => !onRequest.includes(one))) {
  console.log(`\n== ${name}`);
  const [script = `${name}.ts`, ...args] = benchmarks[name], json = path.join(folder, `${name}.json`), before = Date.now();
  const { status } = spawnSync(process.execPath, ['--require', 'tsx/cjs', path.join(__dirname, script), ...args, '--json', json],
    { stdio: 'inherit', env: { ...process.env, BENCH_PYTHON: benchPython() } });
  if (status !== 0) failed.push(name);
  else if (fs.existsSync(json) && fs.statSync(json).mtimeMs >= before) found.push(JSON.parse(fs.readFileSync(json, 'utf8')) as Results);
}
if (found.length) console.log(`\n${markdown(found.flatMap(({ rows }) => rows))}\n\nWritten to ${folder}.`);
if (keep) writeTables();
if (failed.length) console.error(`Failed: ${failed.join(', ')}.`);
process.exitCode = failed.length ? 1 : 0;
