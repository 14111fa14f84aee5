/**
 * Report 000, Part B: how captions of two models suffer when part of the picture is hidden. `small` and `full` differ in values only. The
 * models are made elsewhere (Part A) and handed over by name.
 */
import { OCCLUSION_LEVELS, type CaptionDataset, type CaptionSourceRow, type Split } from '../datasets';
import type { OcclusionOptions } from '../images';
import type { BootstrapOptions } from '../metrics';
import { loadDataset, type DatasetChoice } from './dataset';
import { OcclusionScores } from './occlusion-scores';
import { sweepOcclusion, type OcclusionSweepOptions, type SweepResult } from './occlusion-sweep';
import type { Profile } from './profile';

export interface OcclusionConfig extends DatasetChoice {
  splits: readonly Split[];
  /** Percent of the cells. */
  levels: readonly number[];
  occlusion: Required<Omit<OcclusionOptions, 'name'>>;
  /** Pictures whose levels make one batch of the captioner. */
  imagesPerBatch: number;
  bootstrap: Required<BootstrapOptions>;
  /** Where notebook 03 keeps the captions that notebook 04 reads, relative to the project's top folder. */
  folder: string;
}

const common = {
  splits: ['test'], levels: OCCLUSION_LEVELS, occlusion: { grid: 16, pattern: 'random', fill: 'black', seed: 42, nested: true },
  bootstrap: { samples: 1000, seed: 42, confidence: 0.95 },
} as const;

export const occlusionStudy: Record<Profile, OcclusionConfig> = {
  small: { ...common, dataset: 'scenes', imagesPerBatch: 25, folder: 'runs/03-occlusion-scenes' },
  full: { ...common, dataset: 'flickr8k', imagesPerBatch: 8, folder: 'runs/03-occlusion-flickr8k' },
};

/**
 * What the report prints in section 3.3: scores at 0 %, and at the other levels what its lists give (BLEU and ROUGE-L; METEOR only as a
 * change of 0.0000). METEOR is 0 throughout, which no caption with a word in common with its references can score.
 */
export const reportedOcclusion = [
  { model: 'SmolVLM', 'occlusion (%)': 0, 'BLEU-4': 0.0576, METEOR: 0, 'ROUGE-L': 0.2545 },
  { model: 'SmolVLM', 'occlusion (%)': 10, 'BLEU-4': 0.0471, METEOR: 0, 'ROUGE-L': 0.2396 },
  { model: 'SmolVLM', 'occlusion (%)': 50, 'BLEU-4': 0.0369, METEOR: 0, 'ROUGE-L': 0.2228 },
  { model: 'SmolVLM', 'occlusion (%)': 80, 'BLEU-4': 0.0204, METEOR: 0, 'ROUGE-L': 0.1875 },
  { model: 'Custom', 'occlusion (%)': 0, 'BLEU-4': 0.0081, METEOR: 0, 'ROUGE-L': 0.1343 },
  { model: 'Custom', 'occlusion (%)': 10, 'BLEU-4': 0.0083, METEOR: 0, 'ROUGE-L': 0.1317 },
  { model: 'Custom', 'occlusion (%)': 50, 'BLEU-4': 0.0127, METEOR: 0, 'ROUGE-L': 0.1525 },
  { model: 'Custom', 'occlusion (%)': 80, 'BLEU-4': 0.0128, METEOR: 0, 'ROUGE-L': 0.1482 },
] as const;

/** The report's tables of changes against 0 %, as printed (not always the difference of the rounded scores). */
export const reportedOcclusionChanges = [
  { model: 'SmolVLM', 'occlusion (%)': 10, 'BLEU-4': -0.0105, METEOR: 0, 'ROUGE-L': -0.0148 },
  { model: 'SmolVLM', 'occlusion (%)': 50, 'BLEU-4': -0.0206, METEOR: 0, 'ROUGE-L': -0.0317 },
  { model: 'SmolVLM', 'occlusion (%)': 80, 'BLEU-4': -0.0372, METEOR: 0, 'ROUGE-L': -0.0669 },
  { model: 'Custom', 'occlusion (%)': 10, 'BLEU-4': 0.0002, METEOR: 0, 'ROUGE-L': -0.0026 },
  { model: 'Custom', 'occlusion (%)': 50, 'BLEU-4': 0.0045, METEOR: 0, 'ROUGE-L': 0.0182 },
  { model: 'Custom', 'occlusion (%)': 80, 'BLEU-4': 0.0047, METEOR: 0, 'ROUGE-L': 0.0139 },
] as const;

/** The pictures of the study. */
export function occlusionDataset({ dataset, splits }: Pick<OcclusionConfig, 'dataset' | 'splits'>): CaptionDataset {
  const all = loadDataset({ dataset });
  return all.where(({ split }) => splits.includes(split), `${all.name}/${splits.join('+')}`);
}

type OwnOptions = 'levels' | 'occlusion' | 'imagesPerBatch' | 'folder';
/** `folder`: default the config's. */
export type OcclusionRunOptions = Omit<OcclusionSweepOptions, OwnOptions> & { folder?: string };

/** Captions of every model at every level, see {@link sweepOcclusion}; resumed where it was stopped. */
export function captionOccluded(config: OcclusionConfig, options: OcclusionRunOptions): Promise<SweepResult> {
  const { levels, occlusion, imagesPerBatch, folder } = config;
  return sweepOcclusion({ levels, occlusion, imagesPerBatch, folder, ...options });
}

/** Scores of all models and levels with their intervals. */
export function scoreOccluded({ bootstrap }: OcclusionConfig, rows: readonly CaptionSourceRow[], dataset: CaptionDataset): OcclusionScores {
  return new OcclusionScores(rows, dataset, bootstrap);
}
