/** Notebooks from the command line: see USAGE. PROFILE=full and every other environment variable reach the notebooks. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { reportDifferences } from './notebooks/compare';
import { buildFolder, findNotebooks, NotebookError } from './notebooks/environment';
import { exportHtml } from './notebooks/html';
import { runLab } from './notebooks/lab';
import { runNotebooks } from './notebooks/run';
import { chooseJobs } from './notebooks/schedule';

const USAGE = `Usage:
  npm run notebooks -- [options] [names…]   execute notebooks in a temporary copy; complete runs are written back
      --html               export pages to build/html afterwards
      --timeout MINUTES    how long one notebook may take, 0 for no limit (default 30, with PROFILE=full 0)
      --output FOLDER      write executed notebooks there and leave notebooks/ as it is
      --check              leave notebooks/ as it is and say what comes out otherwise than there, times apart
      --bail               stop at the first notebook that fails
      --jobs N             how many at a time (default: on small data as many as there are cores and memory for, up to 4; otherwise 1)
  npm run html -- [names…]                  write stand-alone pages to build/html
  npm run lab -- [options of jupyter lab]   open JupyterLab on the loopback address

A name is a file, a notebook's name or the beginning of one ("01"); without names all of notebooks/ are meant.`;

const usageError = (message: string): NotebookError => new NotebookError(`${message}\n\n${USAGE}`);

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args, allowPositionals: true,
    options: { html: { type: 'boolean' }, timeout: { type: 'string' }, output: { type: 'string' }, bail: { type: 'boolean' }, check: { type: 'boolean' }, jobs: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(USAGE);
  // Runs on small data end within minutes, so one that does not hangs; full runs take what they take.
  const profile = process.env.PROFILE ?? 'small', timeout = Number(values.timeout ?? (profile === 'small' ? 30 : 0));
  if (!(timeout >= 0)) throw usageError(`--timeout ${values.timeout}: give minutes, or 0 for no limit.`);
  const wanted = values.jobs === undefined ? undefined : Number(values.jobs);
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1)) throw usageError(`--jobs ${values.jobs}: give a whole number from 1 on.`);
  if (values.check && values.output !== undefined) throw usageError('--check has a folder of its own: leave --output out.');
  const output = values.check ? path.join(buildFolder, 'check') : values.output === undefined ? undefined : path.resolve(values.output);
  const results = await runNotebooks(positionals, { timeout, output, bail: values.bail, jobs: chooseJobs(profile, wanted) });
  const passed = results.filter((result) => result.passed);
  if (passed.length < results.length) process.exitCode ||= 1;
  if (values.check) {
    const sources = new Map(findNotebooks(positionals).map((file) => [path.basename(file, '.ipynb'), file]));
    if (reportDifferences(passed.map(({ name, written }) => [sources.get(name)!, written])) > 0) process.exitCode ||= 1;
  }
  if (values.html && passed.length > 0 && !process.exitCode) await exportHtml(passed.map((result) => result.written));
}

async function main([command, ...args]: string[]): Promise<void> {
  if (command === 'run') return run(args);
  if (command === 'lab') {
    process.exitCode = await runLab(args);
    return;
  }
  if (command === 'html') {
    const { positionals } = parseArgs({ args, allowPositionals: true });
    await exportHtml(positionals);
    return;
  }
  if (command !== undefined && !['help', '--help', '-h'].includes(command)) throw usageError(`${command}: there is no such command.`);
  console.log(USAGE);
}

main(process.argv.slice(2)).catch((error: NodeJS.ErrnoException) => {
  if (error instanceof NotebookError) console.error(`✗ ${error.message}`);
  else if (error.code?.startsWith('ERR_PARSE_ARGS')) console.error(`✗ ${error.message}\n\n${USAGE}`);
  else console.error(error);
  process.exitCode = 1;
});
