/** Asks the package registry for open advisories on what the project installs; says so where it does not answer such questions. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What `npm audit --json` printed, as lines to show and whether something must be done. */
export function judge(output) {
  let report;
  try { report = JSON.parse(output); } catch { report = {}; }
  const counts = report.metadata?.vulnerabilities;
  if (!counts) return { lines: ['The registry does not answer to audits: nothing was checked.'], isBad: false };
  const found = Object.values(report.vulnerabilities ?? {}).map(({ name, severity, range }) => `${severity}: ${name} ${range}`).sort();
  const isBad = counts.high + counts.critical > 0;
  const sum = `${counts.total} packages with open advisories, ${counts.high + counts.critical} of them high or critical`;
  return { lines: [...found, sum], isBad };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: root, encoding: 'utf8', timeout: 60_000 });
  const { lines, isBad } = judge(stdout ?? '');
  console.log(lines.join('\n'));
  process.exitCode = isBad ? 1 : 0;
}
