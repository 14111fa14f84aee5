import { loadFlickr8k, loadScenes, type CaptionDataset } from '../datasets';

/** Pictures and captions of an experiment: the drawn ones that come with the project, or Flickr8k's photographs. */
export interface DatasetChoice { dataset: 'scenes' | 'flickr8k' }

/** What an experiment's config chooses, all splits of it. */
export const loadDataset = ({ dataset }: DatasetChoice): CaptionDataset => (dataset === 'scenes' ? loadScenes() : loadFlickr8k());
