/** Report 000, part A: a trained ViT–GPT-2 captioner beside zero-shot SmolVLM. `small` and `full` differ in values only. */
import { loadCaptioner, SmolVLMCaptioner, type Caption, type SmolVLMCaptionerOptions } from '../captioners';
import type { CaptionDataset, CaptionRecord } from '../datasets';
import { inProject } from '../project';
import { resolveCheckpoint } from '../weights';
import { checkpointVersion } from './checkpoint-version';
import type { DatasetChoice } from './dataset';
import { score } from './feature-captioning';
import { requireCaptioner } from './kept-captioner';
import type { SweepModel } from './occlusion-sweep';
import type { Profile } from './profile';
import type { VitGpt2Config } from './vit-gpt2';

export interface PartAConfig extends DatasetChoice {
  custom: VitGpt2Config;
  /** SmolVLM and what it is asked. */
  baseline: SmolVLMCaptionerOptions & { checkpoint: string };
  /** Of the custom captioner where it is compared. */
  numBeams: number;
  /** Where the trained captioner is kept for parts B and C, relative to the project's top folder. */
  folder: string;
}

export const partA: Record<Profile, PartAConfig> = {
  small: {
    dataset: 'scenes',
    custom: {
      encoder: 'vit-scenes', decoder: 'gpt2-scenes', maxTokens: 32, learningRates: [2e-4, 5e-4, 1e-3], searchEpochs: 1, epochs: 8,
      batchSize: 16, patience: 3,
      captionsPerEpoch: 'one', warmupSteps: 20, maxGradNorm: 1, seed: 42,
    },
    baseline: { checkpoint: 'smolvlm-scenes', question: 'Describe this image.', generation: { maxNewTokens: 48, batchSize: 20 } },
    numBeams: 3,
    folder: 'runs/captioner-000-scenes',
  },
  full: {
    dataset: 'flickr8k',
    custom: {
      encoder: 'vit-small', decoder: 'gpt2', maxTokens: 40, learningRates: [5e-5, 1e-4, 2e-4], searchEpochs: 10, epochs: 10, batchSize: 4, patience: 2,
      captionsPerEpoch: 'all', generateEvery: 1, warmupSteps: 0, maxGradNorm: 1, seed: 42,
    },
    baseline: { checkpoint: 'smolvlm-256m', question: 'Describe this image in one sentence.', generation: { maxNewTokens: 64, batchSize: 2 } },
    numBeams: 3,
    folder: 'runs/captioner-000-flickr8k',
  },
};

/** Scores that the report prints for its own data and networks. */
export const reportedPartA = [
  { model: 'report 000: SmolVLM', 'BLEU-4': 0.0597, METEOR: 0.2765, 'ROUGE-L': 0.2564 },
  { model: 'report 000: Custom', 'BLEU-4': 0.0509, METEOR: 0.2327, 'ROUGE-L': 0.2825 },
] as const;

/** The dataset's pictures from the best caption to the worst by CIDEr; `index` is the place in the dataset. */
export function rankByCider(dataset: CaptionDataset, captions: readonly Caption[]): { record: CaptionRecord; index: number; cider: number }[] {
  const { images } = score(dataset, captions);
  return dataset.records.map((record, index) => ({ record, index, cider: images[record.id].CIDEr })).sort((a, b) => b.cider - a.cider);
}

/**
 * Part A's two captioners as part B takes them: loaded when their turn comes, and told apart from those of another training.
 *
 * @throws Error when part A has not kept its captioner yet, or SmolVLM's checkpoint is not there
 */
export async function partAModels({ baseline, folder, numBeams }: PartAConfig): Promise<Record<'SmolVLM' | 'Custom', SweepModel>> {
  const custom = inProject(folder);
  requireCaptioner(custom, '02');
  const { checkpoint, ...options } = baseline;
  const asked = JSON.stringify(options);
  return {
    SmolVLM: {
      captioner: () => SmolVLMCaptioner.load(checkpoint, options),
      version: `${await checkpointVersion(resolveCheckpoint(checkpoint))} ${asked}`,
    },
    Custom: { captioner: () => loadCaptioner(custom), version: await checkpointVersion(custom), options: { numBeams } },
  };
}
