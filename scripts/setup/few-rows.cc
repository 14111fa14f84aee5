// Products of few rows with a matrix, as a decoder makes them for every token: they are bound by reading
// the matrix, which is read once here and in its own order.
//   CaptioningFewRows            x (m, k) · w (k, n) → (m, n)
//   CaptioningFewRowsTransposed  x (m, k) · w (n, k)ᵀ → (m, n)
// Sums are made in the same order by any number of threads.
#include "kernel.h"

namespace {

/** Values that are added to at a time, of all rows: they stay in the nearest cache. */
constexpr size_t kBlock = 8192;

/** y += x · w of 8 rows of w (count columns of n) and one of x. */
INLINE void AddEight(size_t count, size_t n, const float *__restrict x, const float *__restrict w, float *__restrict y) {
  for (size_t j = 0; j < count; j++) {
    y[j] += x[0] * w[j] + x[1] * w[j + n] + x[2] * w[j + 2 * n] + x[3] * w[j + 3 * n] + x[4] * w[j + 4 * n] + x[5] * w[j + 5 * n] +
            x[6] * w[j + 6 * n] + x[7] * w[j + 7 * n];
  }
}

/** y += x · w of 4 rows of w (count columns of n) and so many of x, k apart. */
template <int rows>
INLINE void AddFour(size_t count, size_t k, size_t n, const float *__restrict x, const float *__restrict w, float *__restrict y) {
  float factors[rows][4];
  for (int r = 0; r < rows; r++) for (int i = 0; i < 4; i++) factors[r][i] = x[r * k + i];
  for (size_t j = 0; j < count; j++) {
    const float a = w[j], b = w[j + n], c = w[j + 2 * n], d = w[j + 3 * n];
    for (int r = 0; r < rows; r++) y[r * n + j] += factors[r][0] * a + factors[r][1] * b + factors[r][2] * c + factors[r][3] * d;
  }
}

/** Columns from..to of y = x · w. */
EVERY_PROCESSOR void Columns(size_t from, size_t to, size_t m, size_t k, size_t n, const float *__restrict x, const float *__restrict w,
                             float *__restrict y) {
  const size_t block = std::max<size_t>(256, kBlock / m);
  for (size_t first = from; first < to; first += block) {
    const size_t count = std::min(block, to - first);
    for (size_t row = 0; row < m; row++) std::fill_n(y + row * n + first, count, 0.0f);
    size_t i = 0;
    if (m == 1) for (; i + 8 <= k; i += 8) AddEight(count, n, x + i, w + i * n + first, y + first);
    for (; i + 4 <= k; i += 4) {
      size_t row = 0;
      for (; row + 2 <= m; row += 2) AddFour<2>(count, k, n, x + row * k + i, w + i * n + first, y + row * n + first);
      if (row < m) AddFour<1>(count, k, n, x + row * k + i, w + i * n + first, y + row * n + first);
    }
    for (; i < k; i++) {
      for (size_t row = 0; row < m; row++) {
        for (size_t j = first; j < first + count; j++) y[row * n + j] += x[row * k + i] * w[i * n + j];
      }
    }
  }
}

/** The products of some rows of w with some of x, in so many lanes each. */
template <int columns, int rows, int lanes>
INLINE void Products(size_t k, size_t n, const float *__restrict x, const float *__restrict w, float *__restrict y) {
  float sums[columns][rows][lanes] = {};
  const size_t whole = k - k % lanes;
  for (size_t i = 0; i < whole; i += lanes) {
    // What comes next in memory: rows are too short for the processor to foresee it.
    if (columns > 1) for (int c = 0; c < columns; c++) __builtin_prefetch(w + (columns + c) * k + i);
    for (int c = 0; c < columns; c++) for (int r = 0; r < rows; r++) {
      for (int lane = 0; lane < lanes; lane++) sums[c][r][lane] += w[c * k + i + lane] * x[r * k + i + lane];
    }
  }
  for (int c = 0; c < columns; c++) for (int r = 0; r < rows; r++) {
    float *lane = sums[c][r];
    for (int half = lanes / 2; half > 0; half /= 2) for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    float sum = lane[0];
    for (size_t i = whole; i < k; i++) sum += w[c * k + i] * x[r * k + i];
    y[r * n + c] = sum;
  }
}

/** Columns from..to of y = x · wᵀ. */
EVERY_PROCESSOR void RowProducts(size_t from, size_t to, size_t m, size_t k, size_t n, const float *__restrict x, const float *__restrict w,
                                 float *__restrict y) {
  size_t j = from;
  if (m > 1) for (; j + 3 <= to; j += 3) {
    size_t row = 0;
    for (; row + 4 <= m; row += 4) Products<3, 4, 8>(k, n, x + row * k, w + j * k, y + row * n + j);
    for (; row < m; row++) Products<3, 1, 16>(k, n, x + row * k, w + j * k, y + row * n + j);
  }
  for (; j < to; j++) for (size_t row = 0; row < m; row++) Products<1, 1, 32>(k, n, x + row * k, w + j * k, y + row * n + j);
}

template <bool transposed>
void Run(TF_OpKernelContext *context, const Attributes &) {
  const Tensor x(context, 0), w(context, 1);
  const auto rows = x.Shape(), matrix = w.Shape();
  if (rows.size() != 2 || matrix.size() != 2) throw std::runtime_error("expected two matrices");
  const size_t m = rows[0], k = rows[1], n = matrix[transposed ? 0 : 1];
  Same(k, matrix[transposed ? 1 : 0]);
  const Tensor y(Output(context, 0, {rows[0], matrix[transposed ? 0 : 1]}));
  if (m == 0) return;
  // Narrow pieces of long rows would be read slowly; and a few million values are read by one thread as fast as by several.
  const size_t panel = 576, panels = (n + panel - 1) / panel;
  InParts(panels, panel * m * k, [&](size_t, size_t from, size_t to) {
    (transposed ? RowProducts : Columns)(from * panel, std::min(n, to * panel), m, k, n, x.Data(), w.Data(), y.Data());
  }, 4000000);
}

/** (m, ·) and (·, n), or (n, ·), give (m, n). */
template <int column>
void Shape(TF_ShapeInferenceContext *context, TF_Status *status) {
  TF_ShapeHandle *x = TF_NewShapeHandle(), *w = TF_NewShapeHandle(), *rows = TF_NewShapeHandle(), *columns = TF_NewShapeHandle(),
                 *result = TF_NewShapeHandle();
  const auto done = [status] { return TF_GetCode(status) != TF_OK; };
  TF_ShapeInferenceContextGetInput(context, 0, x, status);
  if (!done()) TF_ShapeInferenceContextGetInput(context, 1, w, status);
  if (!done()) TF_ShapeInferenceContextSubshape(context, x, 0, 1, rows, status);
  if (!done()) TF_ShapeInferenceContextSubshape(context, w, column, column + 1, columns, status);
  if (!done()) TF_ShapeInferenceContextConcatenateShapes(context, rows, columns, result, status);
  if (!done()) TF_ShapeInferenceContextSetOutput(context, 0, result, status);
  for (TF_ShapeHandle *handle : {x, w, rows, columns, result}) TF_DeleteShapeHandle(handle);
}

}  // namespace

void RegisterFewRows() {
  Register<Run<false>, 0>("CaptioningFewRows", {"x: float", "w: float"}, {"y: float"}, Shape<1>);
  Register<Run<true>, 0>("CaptioningFewRowsTransposed", {"x: float", "w: float"}, {"y: float"}, Shape<0>);
}
