import { CaptionDataset, loadFlickr8k, loadScenes } from '../datasets';

/** Pictures and captions of an experiment: the drawn ones that come with the project, or Flickr8k's photographs. */
export interface DatasetChoice {
  dataset: 'scenes' | 'flickr8k';
  /** Only so many pictures to train on, the first ones; all of them by default. */
  trainingPictures?: number;
}

/** What an experiment's config chooses, all splits of it. */
export function loadDataset({ dataset, trainingPictures }: DatasetChoice): CaptionDataset {
  const all = dataset === 'scenes' ? loadScenes() : loadFlickr8k();
  if (trainingPictures === undefined) return all;
  const kept = new Set(all.split('train').take(trainingPictures).records);
  return all.where((record) => record.split !== 'train' || kept.has(record));
}
