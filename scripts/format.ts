/** Checks the form of all tracked text files: see USAGE and scripts/format/rules.ts. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findings, longLines, MAX_COLUMNS } from './format/rules';

const USAGE = `Usage: npm run format:check [-- --update]

Line ends, spaces at the end, tabs, quotes, and lines of code of more than ${MAX_COLUMNS} characters. Older long lines are counted in
scripts/format/long-lines.json: a file may have fewer of them, not more. --update takes up that some are gone.`;

const root = path.resolve(__dirname, '..');
const listFile = path.join(__dirname, 'format', 'long-lines.json');
const TEXT = /(\.(ts|mjs|cjs|py|md|json|cc|yml|sh)|^\.ci\/run)$/;
/** Fixtures and checkpoints are as the programs that made them wrote them. */
const MADE = /^(test\/fixtures|weights\/[^/]+|data\/scenes|notebooks)\/|package-lock\.json$/;

function main(args: readonly string[]): number {
  if (args.some((arg) => arg !== '--update')) {
    console.log(USAGE);
    return args.every((arg) => ['--help', '-h'].includes(arg)) ? 0 : 2;
  }
  const known = JSON.parse(fs.readFileSync(listFile, 'utf8')) as Record<string, number>, left: Record<string, number> = {};
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\0');
  const files = tracked.filter((file) => TEXT.test(file) && !MADE.test(file) && fs.existsSync(path.join(root, file))).sort();
  let problems = 0, fewer = 0;
  const report = (file: string, line: number, message: string): void => {
    problems++;
    console.log(`${file}:${line}: ${message}`);
  };
  for (const file of files) {
    const text = fs.readFileSync(path.join(root, file), 'utf8'), long = longLines(file, text), allowed = known[file] ?? 0;
    for (const { line, message } of findings(file, text)) report(file, line, message);
    if (long.length > allowed) {
      const before = allowed > 0 ? `, ${allowed} before` : '';
      report(file, long[0], `is longer than ${MAX_COLUMNS} characters; such lines here: ${long.join(', ')}${before}`);
    } else fewer += allowed - long.length;
    if (Math.min(long.length, allowed) > 0) left[file] = Math.min(long.length, allowed);
  }
  if (args.includes('--update')) fs.writeFileSync(listFile, `${JSON.stringify(left, null, 1)}\n`);
  else if (fewer > 0) console.log(`${fewer} long lines are gone: npm run format:check -- --update`);
  console.log(problems === 0 ? `${files.length} files are well-formed` : `${problems} problems in ${files.length} files`);
  return problems === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
