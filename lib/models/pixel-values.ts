import { tf, type Tensor, type Tensor4D } from '../engine';

/**
 * Pixels as (B, height, width, channels), from NCHW (what checkpoints' processors give in Python) or NHWC (what lib/images gives); the
 * shape tells which. Any other shape is refused.
 */
export function channelsLast(pixelValues: Tensor, channels: number, height: number, width = height): Tensor4D {
  const [, a, b, c] = pixelValues.shape;
  if (pixelValues.rank === 4 && a === height && b === width && c === channels) return pixelValues as Tensor4D;
  if (pixelValues.rank === 4 && a === channels && b === height && c === width) return tf.transpose(pixelValues as Tensor4D, [0, 2, 3, 1]);
  throw new Error(`pixelValues have the shape [${pixelValues.shape}]: expected [batch, ${channels}, ${height}, ${width}] or [batch, ${height}, ${width}, ${channels}], `
    + 'as the checkpoint\'s preprocessor makes them.');
}
