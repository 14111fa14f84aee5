/** A few pictures of each split of Scenes: enough to see the parts of an experiment work together, not to caption well. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { ImageEncoder } from '../../lib/captioners';
import { CaptionDataset, loadScenes } from '../../lib/datasets';
import { loadEncoder } from '../../lib/experiments';
import { encodeDataset, type FeatureCache } from '../../lib/training';

/** So many to train on, and so many each to validate and to test. */
export function fewScenes(train: number, others: number): CaptionDataset {
  const scenes = loadScenes(), sizes = { train, val: others, test: others };
  const records = (['train', 'val', 'test'] as const).flatMap((split) => scenes.split(split).records.slice(0, sizes[split]));
  return new CaptionDataset('scenes-few', records);
}

/** Registers hooks that encode the pictures before the tests and tidy up after them; the answer has what they made. */
export function encodedScenes(config: Parameters<typeof loadEncoder>[0], dataset: CaptionDataset) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scenes-few-'));
  let encoder: ImageEncoder, features: FeatureCache;
  before(async () => {
    encoder = loadEncoder(config);
    features = await encodeDataset(encoder, dataset, { folder });
  });
  after(() => {
    features.close();
    encoder.dispose();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    get encoder() { return encoder; },
    get features() { return features; },
  };
}
