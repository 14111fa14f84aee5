import { ImageEncoder, type ImageEncoderOptions } from '../captioners';

/** A frozen encoder's weights, and what is made of the pictures before and of the features after it. */
export interface EncoderChoice extends ImageEncoderOptions { checkpoint: string }

/** The encoder of an experiment's config. */
export const loadEncoder = ({ encoder: { checkpoint, ...options } }: { encoder: EncoderChoice }): ImageEncoder =>
  ImageEncoder.load(checkpoint, options);
