/** What a run of the fuzzer says. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FuzzFailure, FuzzResult } from './run';

const MOST_LINES = 6, MOST_COLUMNS = 200;

/** The failure, its first lines, the files that caused it and the command that runs it again. */
function failureText({ reason, detail, folder, again }: FuzzFailure): string {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => ({ name, file: path.join(folder, name) }));
  const sizes = files.flatMap(({ name, file }) => (fs.statSync(file).isFile() ? [`${name} (${fs.statSync(file).size} bytes)`] : []));
  const start = detail.split('\n').slice(0, MOST_LINES).map((line) => line.slice(0, MOST_COLUMNS));
  return [`  ${path.relative('', folder)}: ${reason}`, ...start, `kept: ${sizes.join(', ')}`, `again: ${again}`].join('\n    ');
}

/** What became of one target. */
export function resultText({ target, cases, accepted, failures }: FuzzResult): string {
  const summary = `${target}: ${cases} cases, ${accepted} of them read, ${failures.length} kinds of failure`;
  return [summary, ...failures.map(failureText)].join('\n');
}

/** Targets without and with a failure: "20 passed, 1 failed". */
export function totalsText(results: readonly FuzzResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  return `${results.length - failed} passed, ${failed} failed`;
}
