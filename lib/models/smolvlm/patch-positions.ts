/**
 * Positions of the patches of pictures of any size (after Dehghani et al. 2023, https://arxiv.org/abs/2307.06304, as transformers'
 * SmolVLMVisionEmbeddings does it): the valid part of a picture is laid over the square grid of learnt positions, each patch
 * taking the cell that its upper left corner falls into.
 */

/**
 * @param mask of each picture's patches, row by row, 0 for padding; null where all are valid
 * @param perSide cells of the learnt grid in each direction
 * @returns a cell (row · perSide + column) for each patch of each picture; 0 for padding
 */
export function patchPositions(
  mask: ArrayLike<number> | null, pictures: number, rows: number, columns: number, perSide: number,
): Int32Array {
  const positions = new Int32Array(pictures * rows * columns);
  const edges = cellEdges(perSide);
  for (let picture = 0; picture < pictures; picture++) {
    const start = picture * rows * columns;
    const at = (row: number, column: number) => !mask || mask[start + row * columns + column] !== 0;
    // The first column and row tell how many patches are valid.
    const down = cellsOf(rows, Array.from({ length: rows }, (_, row) => at(row, 0)).filter(Boolean).length, edges);
    const across = cellsOf(columns, Array.from({ length: columns }, (_, column) => at(0, column)).filter(Boolean).length, edges);
    for (const [row, cell] of down.entries()) {
      for (const [column, besides] of across.entries()) {
        if (at(row, column)) positions[start + row * columns + column] = cell * perSide + besides;
      }
    }
  }
  return positions;
}

/** The cell of each of `count` patches, of which `valid` span the grid; float32 as in the reference, where ties depend on the rounding. */
function cellsOf(count: number, valid: number, edges: Float32Array): number[] {
  const step = Math.fround(1 / valid), last = Math.fround(1 - 1e-6);
  return Array.from({ length: count }, (_, i) => {
    const place = Math.min(Math.fround(i * step), last);
    const next = edges.findIndex((edge) => edge > place);
    return next < 0 ? edges.length : next;
  });
}

/**
 * Inner edges 1/n, 2/n, … of n cells, with the last bits of torch.arange(1/n, 1, 1/n) in float32 on a CPU: pairs of eight
 * values count on from a rounded first one; those left over are rounded one by one. With n = 25, say, it matters to some cells.
 */
function cellEdges(n: number): Float32Array {
  const step = 1 / n, count = Math.max(0, Math.ceil((1 - step) / step));
  const blocks = Math.floor(count / 16) * 16;
  const from = (i: number) => (i < blocks ? Math.fround(step + step * (i - i % 8)) + (i % 8) * step : step + step * i);
  return Float32Array.from({ length: count }, (_, i) => from(i));
}
