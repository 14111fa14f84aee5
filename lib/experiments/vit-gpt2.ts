/** Report 000, part A: ViT and GPT-2 with cross attention, both halves trained, at several learning rates. */
import { PretrainedCaptioner } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { Random, tf, type Scalar } from '../engine';
import { GPT2LMHeadModel, load, VisionEncoderDecoderModel, ViTModel } from '../models';
import { inProject } from '../project';
import {
  learningRateSearch, linearWithWarmup, PictureBatches, train, type LearningRateSearch, type PictureBatch, type TrainOptions,
} from '../training';

export interface VitGpt2Config {
  /** Checkpoints, by names that `load` understands. */
  encoder: string;
  decoder: string;
  /** Most tokens of a caption, end token included. */
  maxTokens: number;
  learningRates: readonly number[];
  epochs: number;
  batchSize: number;
  /** Stops a run after so many epochs without a lower validation loss. */
  patience: number;
  captionsPerEpoch: 'all' | 'one';
  warmupSteps: number;
  maxGradNorm: number;
  seed: number;
}

/** Updates in an epoch of so many pictures and captions. */
export const vitGpt2StepsPerEpoch = ({ captionsPerEpoch, batchSize }: VitGpt2Config, training: CaptionDataset): number =>
  Math.ceil((captionsPerEpoch === 'one' ? training.length : training.captions().length) / batchSize);

/** A captioner of two pretrained halves; the cross attention between them is new, drawn from the seed. */
export function buildVitGpt2({ encoder, decoder, maxTokens, seed }: VitGpt2Config, random = new Random(seed)): PretrainedCaptioner<VisionEncoderDecoderModel> {
  const eyes = load(encoder, { as: ViTModel, config: { hiddenDropoutProb: 0 } });
  const words = load(decoder, { as: GPT2LMHeadModel, config: { addCrossAttention: true }, strict: false, random, warn: () => {} });
  const { tokenizer } = words, end = tokenizer?.eosTokenId;
  if (end === undefined || end === null) throw new Error(`${decoder} has no tokenizer with an end token: a captioner needs one.`);
  const config = { encoder: eyes.model.config, decoder: words.model.config, decoderStartTokenId: end, padTokenId: end };
  const model = new VisionEncoderDecoderModel(config, random, { encoder: eyes.model, decoder: words.model });
  model.generationConfig = { decoderStartTokenId: end, eosTokenId: end, padTokenId: end };
  return new PretrainedCaptioner({ model, processor: eyes.processor, tokenizer, config: null }, { generation: { maxNewTokens: maxTokens } });
}

export interface TrainVitGpt2Options extends Pick<TrainOptions<never>, 'signal' | 'onStep' | 'onEpoch' | 'restartFinished'> {
  config: VitGpt2Config;
  dataset: CaptionDataset;
  /** Checkpoints and histories, a folder a rate; relative to the project's top folder. */
  folder?: string;
  onRun?: (learningRate: number) => void;
}

export type VitGpt2Captioner = PretrainedCaptioner<VisionEncoderDecoderModel>;

/** Trains once at each learning rate from the same start; the best captioner by validation loss, and every run's history. */
export async function searchVitGpt2(options: TrainVitGpt2Options): Promise<LearningRateSearch<VitGpt2Captioner>> {
  const { config, dataset, folder, onRun, ...callbacks } = options;
  const { learningRates, epochs, batchSize, patience, warmupSteps, maxGradNorm, maxTokens, captionsPerEpoch, seed } = config;
  let random = new Random(seed);
  return learningRateSearch({
    rates: learningRates,
    build: () => { random = new Random(seed); return buildVitGpt2(config, random); },
    best: { metric: 'valLoss', mode: 'min' },
    folder: folder && inProject(folder),
    train: (captioner, learningRate, runFolder) => {
      onRun?.(learningRate);
      const { model, processor, tokenizer } = captioner;
      const common = { processor, tokenizer, maxTokens };
      const validation = new PictureBatches({ ...common, dataset: dataset.split('val'), batchSize: 2 * batchSize, captionsPerEpoch });
      const loss = (batch: PictureBatch) => tf.tidy(() => model.forward({ ...batch }).loss as Scalar);
      return train<PictureBatch>({
        model, loss, epochs, patience, maxGradNorm, random,
        batches: new PictureBatches({ ...common, dataset: dataset.split('train'), batchSize, captionsPerEpoch, seed }),
        optimizer: { learningRate, weightDecay: 0.01 },
        schedule: linearWithWarmup(warmupSteps),
        config: { ...config, learningRates: undefined, epochs: undefined, dataset: dataset.name },
        validate: async () => ({ valLoss: await validation.meanLoss(loss) }),
        best: { metric: 'valLoss', mode: 'min' },
        folder: runFolder,
        ...callbacks,
      });
    },
  });
}
