// What operations for TensorFlow are made of, each in one pass over memory, for float32 on the processor.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

/** Makes the operations of kernels.cc and few-rows.cc TensorFlow's; each once in a process. */
void RegisterKernels();
void RegisterFewRows();

// A second version of a loop for processors with AVX2 (and FMA, where the compiler can say so); which one runs is chosen when it is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define EVERY_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define EVERY_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

constexpr size_t kLanes = 16;

/** Sums in so many lanes, which a vector register or two hold. */
struct Lanes {
  float values[kLanes] = {};
  INLINE float Total(const Lanes &lanes) {
    float total = 0;
    for (size_t lane = 0; lane < kLanes; lane++) total += lanes.values[lane];
    return total;
  }
};

/** As many threads as TensorFlow has for one operation. */
inline size_t ThreadCount() {
  const char *wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int count = wanted ? std::atoi(wanted) : 0;
  return count > 0 ? count : std::max(1u, std::thread::hardware_concurrency());
}

/** Calls work(part, from, to) for every part of `count` things of `each` values; a part has `least` values, if there are several. */
template <typename Work>
size_t InParts(size_t count, size_t each, const Work &work, size_t least = 200000) {
  // To start a thread takes up to a tenth of a millisecond.
  const size_t parts = std::max<size_t>(1, std::min({ThreadCount(), count, count * each / least})), share = (count + parts - 1) / parts;
  std::vector<std::thread> others;
  for (size_t part = 1; part < parts; part++) {
    others.emplace_back([&work, part, share, count] { work(part, std::min(count, part * share), std::min(count, (part + 1) * share)); });
  }
  work(0, 0, std::min(count, share));
  for (auto &thread : others) thread.join();
  return parts;
}

struct Status {
  TF_Status *status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  operator TF_Status *() { return status; }
  void Check(const std::string &where = "") {
    if (TF_GetCode(status) != TF_OK) throw std::runtime_error((where.empty() ? "" : where + ": ") + TF_Message(status));
  }
};

struct Tensor {
  TF_Tensor *tensor = nullptr;
  Tensor(TF_OpKernelContext *context, int input) {
    Status status;
    TF_GetInput(context, input, &tensor, status);
    status.Check();
  }
  explicit Tensor(TF_Tensor *output) : tensor(output) {}
  Tensor(const Tensor &) = delete;
  ~Tensor() { TF_DeleteTensor(tensor); }
  size_t Size() const { return TF_TensorElementCount(tensor); }
  float *Data() const { return static_cast<float *>(TF_TensorData(tensor)); }
  std::vector<int64_t> Shape() const {
    std::vector<int64_t> shape(TF_NumDims(tensor));
    for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor, i);
    return shape;
  }
};

inline TF_Tensor *Output(TF_OpKernelContext *context, int index, const std::vector<int64_t> &shape) {
  size_t size = sizeof(float);
  for (const int64_t n : shape) size *= n;
  Status status;
  TF_Tensor *output = TF_AllocateOutput(context, index, TF_FLOAT, shape.data(), shape.size(), size, status);
  status.Check();
  return output;
}

struct Attributes { float a = 0, b = 0; };

template <int count>
void *Create(TF_OpKernelConstruction *construction) {
  auto *attributes = new Attributes;
  const char *names[] = {"a", "b"};
  float *values[] = {&attributes->a, &attributes->b};
  for (int i = 0; i < count; i++) {
    Status status;
    TF_OpKernelConstruction_GetAttrFloat(construction, names[i], values[i], status);
    if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  }
  return attributes;
}

inline void Delete(void *kernel) { delete static_cast<Attributes *>(kernel); }

template <void (*Run)(TF_OpKernelContext *, const Attributes &)>
void Compute(void *kernel, TF_OpKernelContext *context) {
  try {
    Run(context, *static_cast<Attributes *>(kernel));
  } catch (const std::exception &error) {
    Status status;
    TF_SetStatus(status, TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelContext_Failure(context, status);
  }
}

inline void Same(size_t a, size_t b) { if (a != b) throw std::runtime_error("tensors of different sizes"); }

/** The outputs have the shapes of these inputs, −1 for one of which none has. */
template <int... inputs>
void Shapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
  int output = 0;
  for (const int input : {inputs...}) {
    if (input >= 0 && TF_GetCode(status) == TF_OK) {
      TF_ShapeHandle *handle = TF_NewShapeHandle();
      TF_ShapeInferenceContextGetInput(context, input, handle, status);
      if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output, handle, status);
      TF_DeleteShapeHandle(handle);
    }
    output++;
  }
}

template <void (*Run)(TF_OpKernelContext *, const Attributes &), int attributes>
void Register(const char *name, const std::vector<const char *> &inputs, const std::vector<const char *> &outputs,
              void (*shapes)(TF_ShapeInferenceContext *, TF_Status *)) {
  TF_OpDefinitionBuilder *op = TF_NewOpDefinitionBuilder(name);
  const char *attributeNames[] = {"a: float", "b: float"};
  for (int i = 0; i < attributes; i++) TF_OpDefinitionBuilderAddAttr(op, attributeNames[i]);
  for (const char *input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char *output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, shapes);
  Status status;
  TF_RegisterOpDefinition(op, status);
  status.Check();
  TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", Create<attributes>, Compute<Run>, Delete), status);
  status.Check();
}
