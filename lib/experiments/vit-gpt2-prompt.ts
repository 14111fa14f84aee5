/** Report 001, part B: a frozen ViT, and GPT-2 that continues a prompt. `small` and `full` differ in values only. */
import { PromptedCaptioner, type ImageEncoder, type PositionsFrom } from '../captioners';
import type { Random } from '../engine';
import { ViTForImageClassification, ViTModel } from '../models';
import type { DatasetChoice } from './dataset';
import type { EncoderChoice } from './encoder';
import type { TrainingSettings } from './feature-captioning';
import type { Profile } from './profile';
import { joinVitGpt2 } from './vit-gpt2';

export interface VitGpt2PromptConfig extends DatasetChoice {
  encoder: EncoderChoice;
  /** A checkpoint, by a name that `load` understands. */
  decoder: string;
  /** What every caption begins with. */
  prompt: string;
  positionsFrom: PositionsFrom;
  training: TrainingSettings;
  /** Epochs of the control that is shown no picture; it has nothing to learn but the language. */
  controlEpochs: number;
}

const common = { prompt: 'Image Caption: ', positionsFrom: 'text' } as const;

export const vitGpt2Prompt: Record<Profile, VitGpt2PromptConfig> = {
  small: {
    dataset: 'scenes',
    encoder: { checkpoint: 'vit-scenes' }, decoder: 'gpt2-scenes', ...common,
    training: {
      epochs: 4, batchSize: 16, learningRate: 1e-3, weightDecay: 0.01, captionsPerEpoch: 'one', maxWords: 31, seed: 42, generateEvery: 2,
      keepEvery: 2,
    },
    controlEpochs: 1,
  },
  full: {
    dataset: 'flickr8k',
    encoder: { checkpoint: 'vit-base' }, decoder: 'gpt2', ...common,
    // Weight decay is PyTorch's default for AdamW.
    training: { epochs: 30, batchSize: 8, learningRate: 3e-4, weightDecay: 0.01, maxWords: 47, seed: 42, keepEvery: 10 },
    controlEpochs: 3,
  },
};

/** Test scores that the report prints for its own data; it does not say which BLEU or CIDEr these are. */
export const reportedVitGpt2Prompt = { BLEU: 0.516, ROUGE_L: 0.369, CIDEr: 0.168 } as const;

/** An untrained captioner around a frozen ViT, which goes with it; `random` also draws dropout, so hand the same one to the training. */
export function buildVitGpt2Prompt(config: VitGpt2PromptConfig, encoder: ImageEncoder, random: Random): PromptedCaptioner {
  const network = encoder.network instanceof ViTForImageClassification ? encoder.network.vit : encoder.network;
  if (!(network instanceof ViTModel)) throw new Error(`${config.encoder.checkpoint} holds a ${network.constructor.name}: expected a ViT.`);
  const checkpoint = joinVitGpt2({ model: network, processor: encoder.processor }, config.decoder, random);
  checkpoint.model!.generationConfig.maxNewTokens = config.training.maxWords + 1;
  const { prompt, positionsFrom } = config;
  return new PromptedCaptioner(checkpoint, { prompt, positionsFrom, encoder });
}
