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

export type PixelLayout = 'NCHW' | 'NHWC';

/** As `channelsLast`, for networks that take pictures of any size. Where both axes could be the channels (pictures three pixels wide), NHWC it is. */
export function anySizeChannelsLast(pixelValues: Tensor, channels: number): { pixels: Tensor4D; layout: PixelLayout } {
  const { rank, shape } = pixelValues;
  if (rank === 4 && shape[3] === channels) return { pixels: pixelValues as Tensor4D, layout: 'NHWC' };
  if (rank === 4 && shape[1] === channels) return { pixels: tf.transpose(pixelValues as Tensor4D, [0, 2, 3, 1]), layout: 'NCHW' };
  throw new Error(`pixelValues have the shape [${shape}]: expected [batch, ${channels}, height, width] or [batch, height, width, ${channels}].`);
}

/** A feature map (B, H, W, C) in the layout that the pixels came in. */
export const inLayout = (map: Tensor4D, layout: PixelLayout): Tensor4D => (layout === 'NCHW' ? tf.transpose(map, [0, 3, 1, 2]) : map);
