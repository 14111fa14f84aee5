/**
 * Writes the tables of bench/README.md anew from bench/results, its charts from bench/growth: `npx tsx bench/table.ts`, or at the end of
 * `npm run bench -- --keep`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { markdown, type Results, type Row } from './harness/results';

const folder = path.join(__dirname, 'results'), page = path.join(__dirname, 'README.md');

/** The page's. */
const order = [
  'vit-gpt2', 'vit-gpt2-bfloat16', 'deit-transformer', 'attention-lstm-49', 'attention-lstm-196', 'attention-gru', 'lstm', 'bert',
  'encoders', 'generation', 'smolvlm', 'metrics', 'images',
];

function readResults(): Results[] {
  const place = ({ benchmark }: Results): number => order.indexOf(benchmark);
  return fs.readdirSync(folder).filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Results).sort((a, b) => place(a) - place(b));
}

/** The machine, the versions and the dates that the rows hold for. */
function circumstances(results: readonly Results[]): string {
  const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
  const machines = unique(results.map(({ machine: { processor, processors, memory, system, bfloat16 } }) =>
    `${processor}, ${processors} processors, ${Math.round(memory / 2 ** 30)} GiB, ${system}, ${bfloat16 ? 'with' : 'no'} bfloat16`));
  const days = results.map(({ date }) => date.slice(0, 10)).sort(), dates = unique([days[0], days.at(-1)!]);
  return [`- Machine: ${machines.join('; ')}`, `- Versions: ${unique(results.flatMap(({ versions }) => versions)).join('; ')}`,
    `- Measured: ${dates.join(' to ')}`].join('\n');
}

const sameWork = ({ rows }: Results): string[] => rows.filter((row): row is Row & { same: string } => row.same !== undefined)
  .map(({ work, against, same }) => `- ${work}, ${against}: ${same}`);

/** Puts a text between the comments <!-- name --> and <!-- /name -->. */
function replaced(text: string, name: string, inner: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`], from = text.indexOf(open), to = text.indexOf(close);
  if (from < 0 || to < from) throw new Error(`${page} has no ${open} … ${close}.`);
  return `${text.slice(0, from + open.length)}\n${inner}\n${text.slice(to)}`;
}

/** The charts that growth.ts drew. */
function charts(): string {
  const drawn = path.join(__dirname, 'growth'), files = fs.existsSync(drawn) ? fs.readdirSync(drawn) : [];
  return files.filter((name) => name.endsWith('.svg')).map((name) => `![cost by ${path.parse(name).name}](growth/${name})`).join('\n');
}

export function writeTables(): void {
  const results = readResults();
  let text = fs.readFileSync(page, 'utf8');
  text = replaced(text, 'table', markdown(results.flatMap(({ rows }) => rows)));
  text = replaced(text, 'machine', circumstances(results));
  text = replaced(text, 'charts', charts());
  text = replaced(text, 'same', results.flatMap(sameWork).join('\n'));
  fs.writeFileSync(page, text);
}

if (require.main === module) writeTables();
