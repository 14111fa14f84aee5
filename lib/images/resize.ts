/**
 * Resizing 8-bit pictures as Pillow does it (src/libImaging/Resample.c, Pillow 11), which is also what torchvision does to PIL images:
 * each output pixel is a weighted mean over a window that widens when the picture shrinks (antialiasing); the weights are rounded
 * to 22 fractional bits; the horizontal pass comes first and is rounded and clipped to 8 bits before the vertical one.
 */
import { PRECISION_BITS, runPasses, Weights, Window } from './resize-passes';
import { ImageError, RgbImage } from './rgb-image';

/** Pillow's filters; the order is Pillow's numbering, which `preprocessor_config.json` uses for `resample`. */
export const RESAMPLE_FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type ResampleFilter = (typeof RESAMPLE_FILTERS)[number];

/** Longest side and largest area a picture is resized to; beyond it a mistake or an attack is likelier than a purpose. */
const MAX_SIDE = 65_535;
const MAX_AREA = 100_000_000;

interface Kernel {
  readonly support: number;
  readonly weight: (x: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const KERNELS: Record<Exclude<ResampleFilter, 'nearest'>, Kernel> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : x === 0 ? 1 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x))),
  },
  // Keys' cubic convolution with a = −0.5.
  bicubic: {
    support: 2,
    weight: (x) => {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
      return 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

const cache = new Map<string, Weights>();
const CACHE_ENTRIES = 64;

function weightsFor(inSize: number, outSize: number, filter: Exclude<ResampleFilter, 'nearest'>): Weights {
  const key = `${inSize} ${outSize} ${filter}`;
  let weights = cache.get(key);
  if (weights) return weights;
  weights = computeWeights(inSize, outSize, KERNELS[filter]);
  // Photographs come in few sizes; hostile ones in many, so the oldest goes first.
  if (cache.size >= CACHE_ENTRIES) cache.delete(cache.keys().next().value!);
  cache.set(key, weights);
  return weights;
}

function computeWeights(inSize: number, outSize: number, kernel: Kernel): Weights {
  const scale = inSize / outSize;
  const widening = Math.max(scale, 1);
  const support = kernel.support * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outSize);
  const counts = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const raw = new Float64Array(stride);
  for (let out = 0; out < outSize; out++) {
    const center = (out + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(inSize, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      raw[tap] = kernel.weight((tap + start - center + 0.5) * (1 / widening));
      sum += raw[tap];
    }
    for (let tap = 0; tap < count; tap++) {
      const scaled = (sum === 0 ? raw[tap] : raw[tap] / sum) * 2 ** PRECISION_BITS;
      weights[out * stride + tap] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
    starts[out] = start;
    counts[out] = count;
  }
  return { starts, counts, weights, stride };
}

/**
 * Resizes to `width` × `height`, ignoring the aspect ratio. With `window`, only that part of the result is computed and returned:
 * the same pixels as resizing and then cropping, for less work.
 *
 * @throws ImageError when a size is not a positive integer, is absurdly large, or the window leaves the resized picture.
 */
export function resizeImage(image: RgbImage, width: number, height: number, filter: ResampleFilter, window?: Window): RgbImage {
  const part = window ?? { left: 0, top: 0, width, height };
  checkSizes(width, height, part);
  if (filter === 'nearest') return resizeNearest(image, width, height, part);
  // A pass that changes nothing is skipped, as in Pillow; what remains of it is the window.
  const rows = height === image.height ? undefined : weightsFor(image.height, height, filter);
  const columns = width === image.width ? undefined : weightsFor(image.width, width, filter);
  const last = part.top + part.height - 1;
  const firstRow = rows ? rows.starts[part.top] : part.top;
  const endRow = rows ? rows.starts[last] + rows.counts[last] : part.top + part.height;
  const between = { left: part.left, top: firstRow, width: part.width, height: endRow - firstRow };
  if (!columns && !rows) return cropRows(image, between);
  if (between.width * between.height > MAX_AREA) {
    throw new ImageError('resize', `${image.width}×${image.height} to ${width}×${height}: the shape is too extreme to be a picture.`);
  }
  return runPasses(image, columns, rows, part, between);
}

/** Nearest neighbour: positions are summed step by step as Pillow's affine transform does, so that ties fall the same way. */
function resizeNearest(image: RgbImage, width: number, height: number, part: Window): RgbImage {
  const columns = nearestPositions(image.width, width);
  const rows = nearestPositions(image.height, height);
  const data = new Uint8Array(part.width * part.height * 3);
  let to = 0;
  for (let y = part.top; y < part.top + part.height; y++) {
    for (let x = part.left; x < part.left + part.width; x++) {
      const from = (rows[y] * image.width + columns[x]) * 3;
      data[to++] = image.data[from];
      data[to++] = image.data[from + 1];
      data[to++] = image.data[from + 2];
    }
  }
  return { data, width: part.width, height: part.height };
}

function nearestPositions(inSize: number, outSize: number): Int32Array {
  const positions = new Int32Array(outSize);
  const step = inSize / outSize;
  let at = step * 0.5;
  for (let out = 0; out < outSize; out++) {
    positions[out] = Math.min(inSize - 1, Math.floor(at));
    at += step;
  }
  return positions;
}

/** The window of a picture that needs no resampling in this direction. */
function cropRows(image: RgbImage, part: Window): RgbImage {
  if (part.left === 0 && part.width === image.width) {
    const rowLength = image.width * 3;
    const data = image.data.slice(part.top * rowLength, (part.top + part.height) * rowLength);
    return { data, width: part.width, height: part.height };
  }
  const data = new Uint8Array(part.width * part.height * 3);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * image.width + part.left) * 3;
    data.set(image.data.subarray(from, from + part.width * 3), y * part.width * 3);
  }
  return { data, width: part.width, height: part.height };
}

function checkSizes(width: number, height: number, part: Window): void {
  const positive = [width, height, part.width, part.height].every((size) => Number.isInteger(size) && size > 0);
  if (!positive) throw new ImageError('resize', `sizes must be whole numbers above 0, not ${width}×${height} (part ${part.width}×${part.height}).`);
  const inside = part.left >= 0 && part.top >= 0 && part.left + part.width <= width && part.top + part.height <= height;
  if (!inside || !Number.isInteger(part.left) || !Number.isInteger(part.top)) {
    throw new ImageError('resize', `the part ${JSON.stringify(part)} is not inside ${width}×${height}.`);
  }
  if (Math.max(part.width, part.height) > MAX_SIDE || part.width * part.height > MAX_AREA || Math.max(width, height) > 2 ** 24) {
    throw new ImageError('resize', `${width}×${height} is larger than pictures are resized to here.`);
  }
}

/**
 * Size with the shorter side equal to `edge` and the aspect ratio kept; the longer side is rounded down, as torchvision's
 * `Resize(edge)` and transformers' `shortest_edge` do.
 */
export function shorterSideSize(width: number, height: number, edge: number): { width: number; height: number } {
  const long = Math.max(1, Math.trunc((edge * Math.max(width, height)) / Math.min(width, height)));
  return width <= height ? { width: edge, height: long } : { width: long, height: edge };
}
