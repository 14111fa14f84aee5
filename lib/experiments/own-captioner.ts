/** A captioner of one's own pictures: a frozen encoder, a decoder trained on a folder of pictures and a CSV of captions. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FeatureCaptioner, ImageEncoder } from '../captioners';
import { loadCaptionedImages, type CaptionDataset } from '../datasets';
import { Random } from '../engine';
import { ImageProcessor } from '../images';
import { readJsonObject } from '../models';
import { settingsDifference } from '../settings-difference';
import { encodeDataset, type TrainOptions, type TrainResult } from '../training';
import { resolveCheckpoint } from '../weights';
import { writeWhole } from '../whole-file';
import { buildDeitTransformer } from './deit-transformer';
import { captionRecords, score, trainCaptioner, type TrainingSettings } from './feature-captioning';
import { buildCaptioner } from './mobilenet-gru';
import { ownModels, type OwnCaptionerConfig, type OwnModel } from './own-captioner-config';
import { buildShowAttendTell } from './show-attend-tell';

const SCORES = ['Bleu_1', 'Bleu_4', 'METEOR', 'ROUGE_L', 'CIDEr'] as const;
const SAMPLES = 4, BEAMS = 3;

export interface TrainOwnCaptionerOptions extends Pick<TrainOptions<never>, 'signal' | 'onStep' | 'onEpoch'> {
  /** Forgets a run of other settings instead of refusing to go on with it. */
  restart?: boolean;
  onDataset?: (dataset: CaptionDataset) => void;
  onEncoded?: (done: number, total: number) => void;
}

export interface OwnCaptionerResult {
  /** What `loadCaptioner` reads; undefined if the training was interrupted. */
  folder?: string;
  dataset: CaptionDataset;
  training: TrainResult;
  /** Of test captions (beams of 3), if there are test pictures. */
  scores?: Record<typeof SCORES[number], number>;
  /** Some test pictures and what it says of them. */
  samples: { image: string; caption: string; reference: string }[];
}

/**
 * Trains, or goes on with a training that was cut off, and saves the captioner of the best epoch. A run with more `epochs` than a finished
 * one goes on from it.
 *
 * @throws Error when the output folder holds something else than a captioner, or a run of other settings was begun there
 */
export async function trainOwnCaptioner(config: OwnCaptionerConfig, options: TrainOwnCaptionerOptions = {}): Promise<OwnCaptionerResult> {
  const { validationShare: val, testShare: test } = config;
  refuseForeignFolder(config.output);
  const dataset = loadCaptionedImages(config.images, config.captions, {
    name: path.basename(config.images), seed: config.seed, shares: { train: 1 - val - test, val, test },
  });
  options.onDataset?.(dataset);
  const encoder = ImageEncoder.load(config.encoder, { processor: wholePicture(config.encoder) });
  try {
    const random = new Random(config.seed), captioner = build(config, dataset, encoder, random);
    try { return await trainAndScore(config, captioner, dataset, random, options); } finally { captioner.decoder.dispose(); }
  } finally {
    encoder.dispose();
  }
}

async function trainAndScore(
  config: OwnCaptionerConfig, captioner: FeatureCaptioner, dataset: CaptionDataset, random: Random,
  { restart, signal, onStep, onEpoch, onEncoded }: TrainOwnCaptionerOptions,
): Promise<OwnCaptionerResult> {
  const { output } = config, { encoder } = captioner, folder = `${output}-training`;
  openRun(folder, config, dataset, encoder, restart);
  // Changed pictures are encoded anew; ids alone would not show it.
  const files = dataset.records.map(({ image }) => { const { size, mtimeMs } = fs.statSync(image); return [size, mtimeMs]; });
  const cache = path.join(folder, `features-${digest(files)}`);
  const features = await encodeDataset(encoder, dataset, { folder: cache, signal, onProgress: onEncoded });
  try {
    const settings = settingsOf(config), run = path.join(folder, 'run');
    const training = await trainCaptioner({
      captioner, dataset, features, settings, random, folder: run, signal, onStep, onEpoch, checkpointSteps: 500,
    });
    if (training.interrupted) return { dataset, training, samples: [] };
    captioner.save(output);
    const tested = dataset.split('test');
    if (tested.length === 0) return { folder: output, dataset, training, samples: [] };
    const captions = captionRecords(captioner, tested, features, { numBeams: BEAMS }), { corpus } = score(tested, captions);
    const samples = tested.records.slice(0, SAMPLES).map((record, i) =>
      ({ image: record.image, caption: captions[i].text, reference: record.captions[0] }));
    return { folder: output, dataset, training, scores: Object.fromEntries(SCORES.map((name) => [name, corpus[name]])) as never, samples };
  } finally {
    features.close();
  }
}

function settingsOf({ model, epochs, batchSize, maxWords, seed, patience, learningRate, precision }: OwnCaptionerConfig): TrainingSettings {
  const { training } = ownModels[model];
  return {
    ...training, epochs, batchSize, maxWords, seed, patience, generateEvery: 1,
    learningRate: learningRate ?? training.learningRate, ...(precision && { precision }),
  };
}

function build(config: OwnCaptionerConfig, dataset: CaptionDataset, encoder: ImageEncoder, random: Random): FeatureCaptioner {
  const { model, minCount, maxWords } = config;
  const common = { minCount, lengthPenalty: 0.7, training: settingsOf(config) };
  // The keys of config.decoder were checked by the schema.
  const decoderOf = <M extends OwnModel>(name: M): (typeof ownModels)[M]['decoder'] => ({ ...ownModels[name].decoder, ...config.decoder });
  switch (model) {
    case 'attention-gru': return buildCaptioner({ ...common, decoder: decoderOf(model) }, dataset, encoder, random);
    case 'attention-lstm': return buildShowAttendTell({ ...common, decoder: decoderOf(model) }, dataset, encoder, random);
    case 'transformer': {
      const decoder = decoderOf(model), maxPositions = Math.max(decoder.maxPositions, maxWords + 2);
      return buildDeitTransformer({ ...common, decoder: { ...decoder, maxPositions } }, dataset, encoder, random);
    }
  }
}

/** All of every photograph, stretched, where the checkpoint would cut its sides off. */
function wholePicture(checkpoint: string) {
  const { outputSize: size } = ImageProcessor.fromPretrained(resolveCheckpoint(checkpoint));
  return size && { size, doCenterCrop: false };
}

/** Saving replaces the folder: it must not be one of something else. */
function refuseForeignFolder(folder: string): void {
  if (!fs.existsSync(folder)) return;
  if (!fs.statSync(folder).isDirectory()) throw new Error(`output: ${folder} is a file; expected a folder to save the captioner in.`);
  if (fs.readdirSync(folder).length === 0) return;
  if (FeatureCaptioner.modelTypes.includes(String(readJsonObject(folder, 'config.json')?.model_type))) return;
  throw new Error(`output: ${folder} holds something else than a captioner, which would be lost: name a folder of its own.`);
}

/** @throws Error when a run of other settings lies there, unless it is to be forgotten */
function openRun(folder: string, config: OwnCaptionerConfig, dataset: CaptionDataset, encoder: ImageEncoder, restart = false): void {
  const { images: _images, captions: _captions, output: _output, epochs: _epochs, patience: _patience, ...decisive } = config;
  const captions = digest(dataset.records.map(({ id, captions, split }) => [id, captions, split]));
  const wanted = JSON.stringify({ ...decisive, encoder: `${config.encoder} ${encoder.fingerprint}`, captions });
  const file = path.join(folder, 'settings.json'), there = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : undefined;
  if (there === wanted) return;
  if (there !== undefined && !restart) {
    const remedy = 'Train anew with --restart, or name another output.';
    throw new Error(`${folder} holds a training of other settings. ${settingsDifference(there, wanted)} ${remedy}`);
  }
  if (there !== undefined) fs.rmSync(folder, { recursive: true });
  fs.mkdirSync(folder, { recursive: true });
  writeWhole(file, `${wanted}\n`);
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
