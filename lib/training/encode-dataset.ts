import type { ImageEncoder } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { inProject } from '../project';
import { FeatureCache } from './feature-cache';

export interface EncodeDatasetOptions {
  /** Where the cache files go; default data/cache/features. */
  folder?: string;
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** The features of all pictures of a dataset, from the cache if it holds them, else computed now. */
export async function encodeDataset(encoder: ImageEncoder, dataset: CaptionDataset, { folder = inProject('data', 'cache', 'features'), batchSize, ...callbacks }: EncodeDatasetOptions = {}): Promise<FeatureCache> {
  const images = dataset.records.map((record) => record.image);
  return FeatureCache.open({
    folder,
    name: dataset.name,
    fingerprint: encoder.fingerprint,
    shape: [encoder.positions, encoder.featureSize],
    ids: dataset.records.map((record) => record.id),
    compute: (from) => encoder.encodeAll(images.slice(from), { batchSize }),
    ...callbacks,
  });
}
