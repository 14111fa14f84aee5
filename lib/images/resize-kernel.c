/*
 * The two passes of resize.ts on 8-bit RGB, for WebAssembly with 128-bit SIMD. scripts/reference/images-kernel.py compiles this file
 * into resize-kernel.ts. Sums are exact in 32-bit integers: nothing here depends on order or on rounding of floats.
 *
 * Reads and writes go up to 15 bytes past the end of rows; the caller leaves that room after every buffer.
 */
#include <stdint.h>
#include <wasm_simd128.h>

#define PRECISION_BITS 22

/* Shift out the fraction, clip to 0 … 255, and put four such quadruples into the lanes of one vector. */
static inline v128_t to_bytes(v128_t a, v128_t b, v128_t c, v128_t d) {
  v128_t low = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, PRECISION_BITS), wasm_i32x4_shr(b, PRECISION_BITS));
  v128_t high = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(c, PRECISION_BITS), wasm_i32x4_shr(d, PRECISION_BITS));
  return wasm_u8x16_narrow_i16x8(low, high);
}

/* The pixel at `from` in 32-bit lanes: red, green, blue, and a byte that does not matter. */
static inline v128_t pixel(const uint8_t *from) {
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from)));
}

/*
 * `rows` rows of `in` (`in_bytes` apart) to rows of `columns` pixels in `out`, without gaps. Column x is the sum over
 * counts[x] pixels from starts[x] with the weights at x * stride. Two rows at a time share their weights.
 */
__attribute__((export_name("horizontal"))) void horizontal(const uint8_t *in, int in_bytes, int rows, uint8_t *out, int columns,
                                                           const int *starts, const int *counts, const int *weights, int stride) {
  const v128_t half = wasm_i32x4_splat(1 << (PRECISION_BITS - 1));
  int out_bytes = columns * 3;
  for (int y = 0; y < rows; y += 2) {
    const uint8_t *first = in + y * in_bytes;
    int both = y + 1 < rows;
    const uint8_t *second = both ? first + in_bytes : first;
    uint8_t *to = out + y * out_bytes;
    uint8_t *to_second = both ? to + out_bytes : to;
    for (int x = 0; x < columns; x++) {
      const int *weight = weights + x * stride;
      int at = starts[x] * 3;
      v128_t a = half, b = half;
      for (int tap = 0; tap < counts[x]; tap++, at += 3) {
        v128_t w = wasm_v128_load32_splat(weight + tap);
        a = wasm_i32x4_add(a, wasm_i32x4_mul(pixel(first + at), w));
        b = wasm_i32x4_add(b, wasm_i32x4_mul(pixel(second + at), w));
      }
      v128_t bytes = to_bytes(a, b, a, b);
      to_second[x * 3] = wasm_u8x16_extract_lane(bytes, 4);
      to_second[x * 3 + 1] = wasm_u8x16_extract_lane(bytes, 5);
      to_second[x * 3 + 2] = wasm_u8x16_extract_lane(bytes, 6);
      to[x * 3] = wasm_u8x16_extract_lane(bytes, 0);
      to[x * 3 + 1] = wasm_u8x16_extract_lane(bytes, 1);
      to[x * 3 + 2] = wasm_u8x16_extract_lane(bytes, 2);
    }
  }
}

/* Rows of `row_bytes` bytes, without gaps: row y of `rows` in `out` is the sum over counts[y] rows of `in` from starts[y]. */
__attribute__((export_name("vertical"))) void vertical(const uint8_t *in, int row_bytes, uint8_t *out, int rows, const int *starts,
                                                       const int *counts, const int *weights, int stride) {
  const v128_t half = wasm_i32x4_splat(1 << (PRECISION_BITS - 1));
  for (int y = 0; y < rows; y++) {
    const int *weight = weights + y * stride;
    const uint8_t *top = in + starts[y] * row_bytes;
    int taps = counts[y];
    /* The 16 bytes stored last reach into the next row, which is written after, or past the end, where there is room. */
    for (int i = 0; i < row_bytes; i += 16) {
      const uint8_t *from = top + i;
      v128_t a = half, b = half, c = half, d = half;
      for (int tap = 0; tap < taps; tap++, from += row_bytes) {
        v128_t w = wasm_v128_load32_splat(weight + tap);
        v128_t bytes = wasm_v128_load(from);
        v128_t low = wasm_u16x8_extend_low_u8x16(bytes), high = wasm_u16x8_extend_high_u8x16(bytes);
        a = wasm_i32x4_add(a, wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(low), w));
        b = wasm_i32x4_add(b, wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(low), w));
        c = wasm_i32x4_add(c, wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(high), w));
        d = wasm_i32x4_add(d, wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(high), w));
      }
      wasm_v128_store(out + y * row_bytes + i, to_bytes(a, b, c, d));
    }
  }
}
