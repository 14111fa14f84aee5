/** Report 000, part A: ViT and GPT-2 with cross attention, both halves trained, at several learning rates. */
import { PretrainedCaptioner } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { Random, tf, type Precision, type Scalar } from '../engine';
import type { ImageProcessor } from '../images';
import { GPT2LMHeadModel, load, VisionEncoderDecoderModel, ViTModel, type Checkpoint } from '../models';
import { inProject } from '../project';
import {
  learningRateName, learningRateSearch, linearWithWarmup, meanLoss, PictureBatches, train,
  type EpochRecord, type LearningRateSearch, type PictureBatch, type TrainOptions, type TrainResult,
} from '../training';
import { score } from './feature-captioning';

export interface VitGpt2Config {
  /** Checkpoints, by names that `load` understands. */
  encoder: string;
  decoder: string;
  /** Most tokens of a caption, end token included. */
  maxTokens: number;
  learningRates: readonly number[];
  /** Epochs at each rate; the best one is then trained anew for `epochs`, if that is more. */
  searchEpochs: number;
  epochs: number;
  batchSize: number;
  /** Stops a run after so many epochs without a lower validation loss. */
  patience: number;
  /**
   * Epochs between greedy captionings of the validation pictures, scored by BLEU-4 and CIDEr; the last epoch of a run has its own, too.
   * Without it there is one alone, at the end of the training at the best rate.
   */
  generateEvery?: number;
  captionsPerEpoch: 'all' | 'one';
  warmupSteps: number;
  maxGradNorm: number;
  /** Leaves the ViT as it is: GPT-2 and the cross attention alone are trained. */
  freezeEncoder?: boolean;
  /** Trains the ViT on half the memory or less, and more slowly (`ViTModel.gradientCheckpointing`). */
  gradientCheckpointing?: boolean;
  /** Of the products in training; default float32. bfloat16 is faster where `hasFastBfloat16()`. */
  precision?: Precision;
  seed: number;
}

/** Updates in an epoch of so many pictures and captions. */
export const vitGpt2StepsPerEpoch = ({ captionsPerEpoch, batchSize }: VitGpt2Config, training: CaptionDataset): number =>
  Math.ceil((captionsPerEpoch === 'one' ? training.length : training.captions().length) / batchSize);

/**
 * Two pretrained halves as one network; the cross attention between them is new, drawn from `random`.
 *
 * @param decoder a GPT-2, by a name that `load` understands
 */
export function joinVitGpt2(
  eyes: { model: ViTModel; processor: ImageProcessor | null }, decoder: string, random: Random,
): Checkpoint<VisionEncoderDecoderModel> {
  const words = load(decoder, { as: GPT2LMHeadModel, config: { addCrossAttention: true }, strict: false, random, warn: () => {} });
  const { tokenizer } = words, end = tokenizer?.eosTokenId;
  if (end === undefined || end === null) throw new Error(`${decoder} has no tokenizer with an end token: a captioner needs one.`);
  const config = { encoder: eyes.model.config, decoder: words.model.config, decoderStartTokenId: end, padTokenId: end };
  const model = new VisionEncoderDecoderModel(config, random, { encoder: eyes.model, decoder: words.model });
  model.generationConfig = { decoderStartTokenId: end, eosTokenId: end, padTokenId: end };
  return { model, processor: eyes.processor, tokenizer, config: null };
}

/** A captioner whose halves are to be trained, both or GPT-2's alone. */
export function buildVitGpt2(
  { encoder, decoder, maxTokens, freezeEncoder = false, gradientCheckpointing = false, seed }: VitGpt2Config, random = new Random(seed),
): PretrainedCaptioner<VisionEncoderDecoderModel> {
  const eyes = load(encoder, { as: ViTModel, config: { hiddenDropoutProb: 0 } });
  eyes.model.gradientCheckpointing = gradientCheckpointing;
  if (freezeEncoder) eyes.model.freeze();
  return new PretrainedCaptioner(joinVitGpt2(eyes, decoder, random), { generation: { maxNewTokens: maxTokens } });
}

type PassedOn = 'signal' | 'onStep' | 'onEpoch' | 'restartFinished' | 'checkpointSteps';

export interface TrainVitGpt2Options extends Pick<TrainOptions<never>, PassedOn> {
  config: VitGpt2Config;
  dataset: CaptionDataset;
  /** Checkpoints and histories, a folder a rate; relative to the project's top folder. */
  folder?: string;
  /** TensorBoard's event files, a folder a run; relative to the project's top folder, too. */
  tensorBoard?: string;
  /** Before each run: its rate and its most epochs. */
  onRun?: (learningRate: number, epochs: number) => void;
}

export type VitGpt2Captioner = PretrainedCaptioner<VisionEncoderDecoderModel>;

export interface VitGpt2Search extends Omit<LearningRateSearch<VitGpt2Captioner>, 'model'> {
  /** The captioner at the end, the caller's to dispose. */
  captioner: VitGpt2Captioner;
  /** Of the captioner's own training. */
  history: readonly EpochRecord[];
}

/** Trains at each learning rate from the same start, and at the best one by validation loss to the end. */
export async function searchVitGpt2(options: TrainVitGpt2Options): Promise<VitGpt2Search> {
  const { config, dataset, folder, tensorBoard, onRun, ...callbacks } = options;
  const { learningRates, epochs, searchEpochs, seed } = config, best = { metric: 'valLoss', mode: 'min' } as const;
  let random = new Random(seed);
  const build = (): VitGpt2Captioner => { random = new Random(seed); return buildVitGpt2(config, random); };
  const run = (captioner: VitGpt2Captioner, learningRate: number, count: number, name: string): Promise<TrainResult> => {
    onRun?.(learningRate, count);
    const [at, events] = [folder, tensorBoard].map((one) => one && inProject(one, name));
    return trainVitGpt2(captioner, { ...callbacks, config, dataset, random, learningRate, epochs: count, folder: at, tensorBoard: events });
  };
  const search = await learningRateSearch({
    rates: learningRates, build, best, train: (captioner, rate) => run(captioner, rate, searchEpochs, learningRateName(rate)),
  });
  const { model, ...found } = search;
  if (epochs <= searchEpochs || found.interrupted) return { ...found, captioner: model, history: found.best.history };
  model.dispose();
  const captioner = build();
  try {
    const { history, interrupted } = await run(captioner, found.best.learningRate, epochs, 'best-rate');
    return { ...found, captioner, history, interrupted };
  } catch (error) {
    captioner.dispose();
    throw error;
  }
}

interface VitGpt2Run extends Omit<TrainVitGpt2Options, 'onRun'> { random: Random; learningRate: number; epochs: number }

async function trainVitGpt2(captioner: VitGpt2Captioner, options: VitGpt2Run): Promise<TrainResult> {
  const { model, processor, tokenizer } = captioner;
  const { config, dataset, random, learningRate, epochs, folder, ...callbacks } = options;
  const { batchSize, warmupSteps, maxGradNorm, precision, maxTokens, captionsPerEpoch, seed } = config;
  const { generateEvery, patience, ...decisive } = config;
  const common = { processor, tokenizer, maxTokens };
  const validation = dataset.split('val');
  const validationBatches = new PictureBatches({ ...common, dataset: validation, batchSize: 2 * batchSize, captionsPerEpoch });
  const generate = async () => {
    const { Bleu_4, CIDEr } = score(validation, await captioner.caption(validation.images())).corpus;
    return { Bleu_4, CIDEr };
  };
  const loss = (batch: PictureBatch) => tf.tidy(() => model.forward({ ...batch }).loss as Scalar);
  return train<PictureBatch>({
    model, loss, epochs, patience, maxGradNorm, precision, random, folder,
    batches: new PictureBatches({ ...common, dataset: dataset.split('train'), batchSize, captionsPerEpoch, seed }),
    optimizer: { learningRate, weightDecay: 0.01 },
    schedule: linearWithWarmup(warmupSteps),
    config: { ...decisive, learningRates: undefined, searchEpochs: undefined, epochs: undefined, dataset: dataset.name },
    validate: async () => ({ valLoss: await meanLoss(validationBatches, loss) }),
    evaluate: generateEvery === undefined && epochs < config.epochs ? undefined : { every: generateEvery ?? epochs, run: generate },
    best: { metric: 'valLoss', mode: 'min' },
    ...callbacks,
  });
}
