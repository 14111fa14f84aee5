/** What a captioner scores that has learnt the language of the captions but sees no picture: the least that looking must beat. */
import type { Caption, CaptionOptions } from '../captioners';
import type { Split } from '../datasets';
import type { CaptionEvaluation } from '../metrics';
import { MeanFeatures, type PictureFeatures, type TrainResult } from '../training';
import { captionRecords, score, trainCaptioner, type TrainCaptionerOptions } from './feature-captioning';

export interface NoImageControlOptions extends TrainCaptionerOptions {
  /** Which pictures are captioned, all alike; default test. */
  split?: Split;
  /** How they are captioned. */
  generation?: CaptionOptions;
}

export interface NoImageControl {
  run: TrainResult;
  /** The features it was shown for every picture. */
  features: PictureFeatures;
  /** One a picture, and all the same. */
  captions: Caption[];
  evaluation: CaptionEvaluation;
}

/**
 * Trains a captioner with the mean of the training pictures' features in place of every picture's own, and scores what it says.
 *
 * @param options as for `trainCaptioner`: an untrained captioner of the same config, the same features, settings and data, and a folder of
 * its own, if any
 */
export async function noImageControl({ split = 'test', generation, ...options }: NoImageControlOptions): Promise<NoImageControl> {
  const { captioner, dataset } = options;
  const features = new MeanFeatures(options.features, dataset.split('train').records.map(({ id }) => id));
  const run = await trainCaptioner({ ...options, features });
  const shown = dataset.split(split), captions = captionRecords(captioner, shown, features, generation);
  return { run, features, captions, evaluation: score(shown, captions) };
}
