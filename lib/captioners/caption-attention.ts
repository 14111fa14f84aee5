/** Where a captioner looked, token by token. */
export interface CaptionAttention {
  /** `maps[token][row * columns + column]`, the mean over layers and heads; a map sums to 1, less what a class token got. */
  maps: Float32Array[];
  grid: readonly [rows: number, columns: number];
  /** Where there are several layers or heads: each token's weights over all positions, class token included, as [layers, heads, positions]. */
  heads?: { values: Float32Array[]; shape: readonly number[] };
}

export interface PositionLayout {
  /** Positions before the grid's: 1 for a class token. */
  prefix: number;
  /** Width of the picture by its height. */
  aspect: number;
}

/** From a search's attention, each vector of the shape [positions] or [layers, heads, positions]. */
export function captionAttention(values: Float32Array[], shape: readonly number[], { prefix, aspect }: PositionLayout): CaptionAttention {
  const positions = shape[shape.length - 1];
  return {
    maps: values.map((map) => meanMap(map, positions).subarray(prefix)), grid: gridOf(positions - prefix, aspect),
    ...(shape.length > 1 ? { heads: { values, shape } } : {}),
  };
}

/** Mean of several maps of so many positions, one after another in `values`. */
function meanMap(values: Float32Array, positions: number): Float32Array {
  const count = values.length / positions;
  if (count === 1) return values;
  const mean = new Float32Array(positions);
  for (const [i, value] of values.entries()) mean[i % positions] += value / count;
  return mean;
}

/** Rows and columns of so many positions in the picture's own proportion. */
export function gridOf(positions: number, aspect: number): readonly [rows: number, columns: number] {
  const columns = Math.round(Math.sqrt(positions * aspect)), rows = positions / columns;
  if (!Number.isInteger(rows)) throw new Error(`${positions} positions make no grid of proportion ${aspect}.`);
  return [rows, columns];
}
