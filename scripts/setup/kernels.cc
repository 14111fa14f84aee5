// Operations that TensorFlow composes of many passes over memory, each in one: for float32 on the processor, with gradients. They are
// registered as TensorFlow's own, so that graphs may hold them.
//   CaptioningGelu, CaptioningGeluGrad                  x·Φ(x)
//   CaptioningSigmoidGated, CaptioningSigmoidGatedGrad  x·σ(a·x + b·x³): SiLU, CLIP's quick GELU, GELU's tanh form
//   CaptioningLayerNorm, CaptioningLayerNormGrad        over the last axis
#include <cmath>
#include <cstring>
#include "kernel.h"

namespace {

// ── Functions without branches, which compilers turn into vector instructions ──

INLINE int32_t Bits(float x) { int32_t bits; std::memcpy(&bits, &x, 4); return bits; }
INLINE float Value(int32_t bits) { float x; std::memcpy(&x, &bits, 4); return x; }

/** e^x by Cephes' polynomial (expf), within 2 units of the last place. */
INLINE float Exp(float x) {
  x = x < -87.3f ? -87.3f : x;
  x = x > 88.3f ? 88.3f : x;
  const float magic = 12582912.0f;  // 1.5·2²³: adding it rounds to a whole number, which then stands in the last bits
  const float shifted = x * 1.44269504f + magic, n = shifted - magic;
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  return y * Value((Bits(shifted) - Bits(magic) + 127) << 23);
}

/** erf by a rational function on [−4, 4], outside which it is ±1 in float32; the coefficients are Eigen's (generic_fast_erf). */
INLINE float Erf(float x) {
  x = x < -4.0f ? -4.0f : x;
  x = x > 4.0f ? 4.0f : x;
  const float s = x * x;
  float p = -2.72614225801306e-10f;
  p = p * s + 2.77068142495902e-08f;
  p = p * s - 2.10102402082508e-06f;
  p = p * s - 5.69250639462346e-05f;
  p = p * s - 7.34990630326855e-04f;
  p = p * s - 2.95459980854025e-03f;
  p = p * s - 1.60960333262415e-02f;
  float q = -1.45660718464996e-05f;
  q = q * s - 2.13374055278905e-04f;
  q = q * s - 1.68282697438203e-03f;
  q = q * s - 7.37332916720468e-03f;
  q = q * s - 1.42647390514189e-02f;
  return x * p / q;
}

INLINE float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }
INLINE float NormalDistribution(float x) { return 0.5f + 0.5f * Erf(x * 0.70710678f); }

// ── The loops ──

EVERY_PROCESSOR void Gelu(size_t from, size_t to, const float *__restrict x, float *__restrict y) {
  for (size_t i = from; i < to; i++) y[i] = x[i] * NormalDistribution(x[i]);
}

EVERY_PROCESSOR void GeluGrad(size_t from, size_t to, const float *__restrict dy, const float *__restrict x, float *__restrict dx) {
  for (size_t i = from; i < to; i++) {
    dx[i] = dy[i] * (NormalDistribution(x[i]) + x[i] * 0.39894228f * Exp(-0.5f * x[i] * x[i]));
  }
}

EVERY_PROCESSOR void SigmoidGated(size_t from, size_t to, float a, float b, const float *__restrict x, float *__restrict y) {
  for (size_t i = from; i < to; i++) y[i] = x[i] * Sigmoid(x[i] * (a + b * x[i] * x[i]));
}

EVERY_PROCESSOR void SigmoidGatedGrad(size_t from, size_t to, float a, float b, const float *__restrict dy, const float *__restrict x,
                                      float *__restrict dx) {
  for (size_t i = from; i < to; i++) {
    const float square = x[i] * x[i], gate = Sigmoid(x[i] * (a + b * square));
    dx[i] = dy[i] * gate * (1.0f + x[i] * (a + 3 * b * square) * (1.0f - gate));
  }
}

EVERY_PROCESSOR void LayerNorm(size_t from, size_t to, size_t size, float epsilon, const float *__restrict x, const float *__restrict weight,
                               const float *__restrict bias, float *__restrict y, float *__restrict means, float *__restrict scales) {
  const size_t whole = size - size % kLanes;
  for (size_t row = from; row < to; row++) {
    const float *in = x + row * size;
    float *out = y + row * size;
    Lanes sums, squares;
    for (size_t i = 0; i < whole; i += kLanes) for (size_t lane = 0; lane < kLanes; lane++) sums.values[lane] += in[i + lane];
    float total = Lanes::Total(sums);
    for (size_t i = whole; i < size; i++) total += in[i];
    const float mean = total / size;
    for (size_t i = 0; i < whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; lane++) {
        const float centered = in[i + lane] - mean;
        squares.values[lane] += centered * centered;
      }
    }
    float square = Lanes::Total(squares);
    for (size_t i = whole; i < size; i++) square += (in[i] - mean) * (in[i] - mean);
    const float scale = 1.0f / std::sqrt(square / size + epsilon);
    for (size_t i = 0; i < size; i++) out[i] = (in[i] - mean) * scale * weight[i] + bias[i];
    means[row] = mean;
    scales[row] = scale;
  }
}

/** dWeight and dBias are added to. */
EVERY_PROCESSOR void LayerNormGrad(size_t from, size_t to, size_t size, const float *__restrict dy, const float *__restrict x,
                                   const float *__restrict weight, const float *__restrict means, const float *__restrict scales,
                                   float *__restrict dx, float *__restrict dWeight, float *__restrict dBias) {
  const size_t whole = size - size % kLanes;
  for (size_t row = from; row < to; row++) {
    const float *in = x + row * size, *g = dy + row * size;
    float *out = dx + row * size;
    const float mean = means[row], scale = scales[row];
    Lanes plain, along;
    for (size_t i = 0; i < whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; lane++) {
        const float weighted = g[i + lane] * weight[i + lane];
        plain.values[lane] += weighted;
        along.values[lane] += weighted * (in[i + lane] - mean);
      }
    }
    float sum = Lanes::Total(plain), sumAlong = Lanes::Total(along);
    for (size_t i = whole; i < size; i++) {
      sum += g[i] * weight[i];
      sumAlong += g[i] * weight[i] * (in[i] - mean);
    }
    const float meanG = sum / size, slope = sumAlong * scale * scale / size;
    for (size_t i = 0; i < size; i++) {
      const float centered = in[i] - mean;
      out[i] = scale * (g[i] * weight[i] - meanG - centered * slope);
      dWeight[i] += g[i] * centered * scale;
      dBias[i] += g[i];
    }
  }
}

// ── As operations ──

void RunGelu(TF_OpKernelContext *context, const Attributes &) {
  const Tensor x(context, 0), y(Output(context, 0, x.Shape()));
  InParts(x.Size(), 1, [&](size_t, size_t from, size_t to) { Gelu(from, to, x.Data(), y.Data()); });
}

void RunGeluGrad(TF_OpKernelContext *context, const Attributes &) {
  const Tensor dy(context, 0), x(context, 1), dx(Output(context, 0, x.Shape()));
  Same(dy.Size(), x.Size());
  InParts(x.Size(), 1, [&](size_t, size_t from, size_t to) { GeluGrad(from, to, dy.Data(), x.Data(), dx.Data()); });
}

void RunSigmoidGated(TF_OpKernelContext *context, const Attributes &n) {
  const Tensor x(context, 0), y(Output(context, 0, x.Shape()));
  InParts(x.Size(), 1, [&](size_t, size_t from, size_t to) { SigmoidGated(from, to, n.a, n.b, x.Data(), y.Data()); });
}

void RunSigmoidGatedGrad(TF_OpKernelContext *context, const Attributes &n) {
  const Tensor dy(context, 0), x(context, 1), dx(Output(context, 0, x.Shape()));
  Same(dy.Size(), x.Size());
  InParts(x.Size(), 1, [&](size_t, size_t from, size_t to) { SigmoidGatedGrad(from, to, n.a, n.b, dy.Data(), x.Data(), dx.Data()); });
}

void RunLayerNorm(TF_OpKernelContext *context, const Attributes &n) {
  const Tensor x(context, 0), weight(context, 1), bias(context, 2), y(Output(context, 0, x.Shape()));
  const size_t size = weight.Size(), rows = size ? x.Size() / size : 0;
  Same(bias.Size(), size);
  Same(rows * size, x.Size());
  const std::vector<int64_t> shape{static_cast<int64_t>(rows)};
  const Tensor means(Output(context, 1, shape)), scales(Output(context, 2, shape));
  InParts(rows, size, [&](size_t, size_t from, size_t to) {
    LayerNorm(from, to, size, n.a, x.Data(), weight.Data(), bias.Data(), y.Data(), means.Data(), scales.Data());
  });
}

void RunLayerNormGrad(TF_OpKernelContext *context, const Attributes &) {
  const Tensor dy(context, 0), x(context, 1), weight(context, 2), means(context, 3), scales(context, 4);
  const size_t size = weight.Size(), rows = means.Size();
  Same(dy.Size(), x.Size());
  Same(rows * size, x.Size());
  Same(scales.Size(), rows);
  const Tensor dx(Output(context, 0, x.Shape())), dWeight(Output(context, 1, weight.Shape())), dBias(Output(context, 2, weight.Shape()));
  std::vector<std::vector<float>> sums(ThreadCount());
  const size_t parts = InParts(rows, size, [&](size_t part, size_t from, size_t to) {
    sums[part].assign(2 * size, 0.0f);
    LayerNormGrad(from, to, size, dy.Data(), x.Data(), weight.Data(), means.Data(), scales.Data(), dx.Data(), sums[part].data(),
                  sums[part].data() + size);
  });
  for (size_t part = 1; part < parts; part++) for (size_t i = 0; i < 2 * size; i++) sums[0][i] += sums[part][i];
  std::copy_n(sums[0].data(), size, dWeight.Data());
  std::copy_n(sums[0].data() + size, size, dBias.Data());
}

}  // namespace

void RegisterKernels() {
  Register<RunGelu, 0>("CaptioningGelu", {"x: float"}, {"y: float"}, Shapes<0>);
  Register<RunGeluGrad, 0>("CaptioningGeluGrad", {"dy: float", "x: float"}, {"dx: float"}, Shapes<1>);
  Register<RunSigmoidGated, 2>("CaptioningSigmoidGated", {"x: float"}, {"y: float"}, Shapes<0>);
  Register<RunSigmoidGatedGrad, 2>("CaptioningSigmoidGatedGrad", {"dy: float", "x: float"}, {"dx: float"}, Shapes<1>);
  Register<RunLayerNorm, 1>("CaptioningLayerNorm", {"x: float", "weight: float", "bias: float"}, {"y: float", "mean: float", "scale: float"},
                            Shapes<0, -1, -1>);
  Register<RunLayerNormGrad, 0>("CaptioningLayerNormGrad", {"dy: float", "x: float", "weight: float", "mean: float", "scale: float"},
                                {"dx: float", "d_weight: float", "d_bias: float"}, Shapes<1, 2, 2>);
}
