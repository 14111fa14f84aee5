import type { FeatureCaptioner } from '../captioners';
import { CaptionDataset } from '../datasets';
import { tf } from '../engine';
import { rougeL } from '../metrics';
import { splitWords } from '../tokenizers';
import type { FeatureCache } from '../training';

export interface TeacherSentencesOptions {
  /** Beams that the teacher searches with, and chooses from. */
  numBeams: number;
  batchSize?: number;
}

/**
 * Sequence-level distillation (Kim and Rush 2016, https://arxiv.org/abs/1606.07947, sections 3.2 and 3.3): the same pictures, and in place
 * of each caption that one of the teacher's beams most like it, by ROUGE-L where the paper takes a smoothed BLEU; of equals the likeliest.
 */
export function teacherSentences(dataset: CaptionDataset, teacher: FeatureCaptioner, features: FeatureCache,
  { numBeams, batchSize = 50 }: TeacherSentencesOptions): CaptionDataset {
  const records = [];
  for (let from = 0; from < dataset.length; from += batchSize) {
    const part = dataset.records.slice(from, from + batchSize), ids = part.map(({ id }) => id);
    const batch = tf.tensor(features.read(ids), [ids.length, ...features.shape]);
    try {
      const beams = teacher.captionBeams(batch, { numBeams }).map((captions) => captions.map(({ text }) => text));
      records.push(...part.map((record, i) => ({ ...record, captions: record.captions.map((caption) => closest(beams[i], caption)) })));
    } finally {
      batch.dispose();
    }
  }
  return new CaptionDataset(`${dataset.name}-teacher-sentences`, records);
}

function closest(beams: readonly string[], caption: string): string {
  const wanted = splitWords(caption), likeness = beams.map((beam) => rougeL([wanted], splitWords(beam)));
  return beams[likeness.indexOf(Math.max(...likeness))];
}
