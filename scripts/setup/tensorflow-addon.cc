// tfjs-node-gpu's addon, its own sources unchanged, and beside them what it lacks.
// Functions of TensorFlow, that is, graphs of operations which TensorFlow optimizes and runs as one. Once defined, a function is an
// operation like others: executeOp runs it.
//   defineFunction(name, nodes, inputs, outputs)   nodes: [{op, attributes, inputs, list, outputs, after}] in an order in which they can run;
//                  a value's number is its place among the outputs of all nodes; `list`: so many first inputs are one argument;
//                  `after` (may be missing): values that must be there before it runs.
//                  A Const has {op, dtype, shape, data} (data: an ArrayBuffer view), a Placeholder is an input of the function.
//   removeFunction(name)
// An Adam step in one pass over memory, for float32 tensors in the processor's memory:
//   adamStep(parameter, m, v, gradient, [gradientFactor, decay, beta1, beta2, rate, vFactor, epsilon]) → the new parameter's id
//                  tensors by their ids; m and v are changed in place, so that nothing else may share their memory
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "kernel.h"

namespace {
thread_local TFE_Context *context = nullptr;

// The addon keeps the context of each thread to itself, so it is noted where it is made.
TFE_Context *NewContext(const TFE_ContextOptions *options, TF_Status *status) {
  return context = TFE_NewContext(options, status);
}
}  // namespace

// adamStep looks up tensors by their ids and adds one, which the addon's class does in private alone.
#define private public
#include "binding/tfjs_backend.h"
#undef private
#define TFE_NewContext NewContext
#include "binding/tfjs_backend.cc"
#undef TFE_NewContext
#undef NAPI_MODULE
#define NAPI_MODULE(name, init)
#include "binding/tfjs_binding.cc"

namespace {

struct Graph {
  TF_Graph *graph = TF_NewGraph();
  ~Graph() { TF_DeleteGraph(graph); }
};

/** A JavaScript value, read with exceptions in place of status codes. */
struct Value {
  napi_env env;
  napi_value value;

  static void Check(napi_status status, const char *expected) {
    if (status != napi_ok) throw std::runtime_error(std::string("expected ") + expected);
  }
  Value operator[](const char *key) const {
    napi_value result;
    Check(napi_get_named_property(env, value, key, &result), key);
    return {env, result};
  }
  Value operator[](uint32_t index) const {
    napi_value result;
    Check(napi_get_element(env, value, index, &result), "an element");
    return {env, result};
  }
  bool IsArray() const {
    bool result;
    Check(napi_is_array(env, value, &result), "a value");
    return result;
  }
  uint32_t Length() const {
    uint32_t length;
    Check(napi_get_array_length(env, value, &length), "an array");
    return length;
  }
  std::string String() const {
    size_t length;
    Check(napi_get_value_string_utf8(env, value, nullptr, 0, &length), "a string");
    std::string text(length, '\0');
    Check(napi_get_value_string_utf8(env, value, &text[0], length + 1, &length), "a string");
    return text;
  }
  double Number() const {
    double number;
    Check(napi_get_value_double(env, value, &number), "a number");
    return number;
  }
  int64_t Integer() const { return static_cast<int64_t>(Number()); }
  bool Boolean() const {
    bool result;
    Check(napi_get_value_bool(env, value, &result), "a boolean");
    return result;
  }
  template <typename T, typename Read>
  std::vector<T> List(Read read) const {
    std::vector<T> list(Length());
    for (uint32_t i = 0; i < list.size(); i++) list[i] = static_cast<T>(read((*this)[i]));
    return list;
  }
  std::vector<int64_t> Integers() const {
    return List<int64_t>([](const Value &v) { return v.Integer(); });
  }
};

void SetAttribute(TF_OperationDescription *node, const Value &attribute) {
  const std::string text = attribute["name"].String();
  const char *name = text.c_str();
  const Value value = attribute["value"];
  const bool list = value.IsArray();
  switch (attribute["type"].Integer()) {
    case TF_ATTR_STRING: {
      const std::string string = value.String();
      TF_SetAttrString(node, name, string.data(), string.size());
      break;
    }
    case TF_ATTR_INT: {
      if (!list) { TF_SetAttrInt(node, name, value.Integer()); break; }
      const auto values = value.Integers();
      TF_SetAttrIntList(node, name, values.data(), values.size());
      break;
    }
    case TF_ATTR_FLOAT: {
      if (!list) { TF_SetAttrFloat(node, name, value.Number()); break; }
      const auto values = value.List<float>([](const Value &v) { return v.Number(); });
      TF_SetAttrFloatList(node, name, values.data(), values.size());
      break;
    }
    case TF_ATTR_BOOL: {
      if (!list) { TF_SetAttrBool(node, name, value.Boolean()); break; }
      const auto values = value.List<unsigned char>([](const Value &v) { return v.Boolean(); });
      TF_SetAttrBoolList(node, name, values.data(), values.size());
      break;
    }
    case TF_ATTR_TYPE:
      TF_SetAttrType(node, name, static_cast<TF_DataType>(value.Integer()));
      break;
    case TF_ATTR_SHAPE: {
      const auto shape = value.Integers();
      TF_SetAttrShape(node, name, shape.data(), shape.size());
      break;
    }
    default:
      throw std::runtime_error("the attribute " + text + " has an unknown type");
  }
}

void SetConstant(TF_OperationDescription *node, const Value &constant) {
  const auto dtype = static_cast<TF_DataType>(constant["dtype"].Integer());
  const auto shape = constant["shape"].Integers();
  void *data;
  size_t length;
  napi_value buffer;
  size_t offset;
  napi_typedarray_type type;
  Value::Check(napi_get_typedarray_info(constant.env, constant["data"].value, &type, &length, &data, &buffer, &offset), "a typed array");
  size_t size = TF_DataTypeSize(dtype);
  for (const int64_t n : shape) size *= n;
  size_t width = type == napi_uint8_array || type == napi_int8_array ? 1 : 4;
  if (length * width != size) throw std::runtime_error("the constant's values do not fill its shape");
  tfnodejs::TF_AutoTensor tensor(TF_AllocateTensor(dtype, shape.data(), shape.size(), size));
  std::memcpy(TF_TensorData(tensor.tensor), data, size);
  Status status;
  TF_SetAttrTensor(node, "value", tensor.tensor, status);
  status.Check("Const");
  TF_SetAttrType(node, "dtype", dtype);
}

void Define(const std::string &name, const Value &nodes, const Value &inputs, const Value &outputs) {
  Graph graph;
  Status status;
  std::vector<TF_Output> values;
  const auto at = [&values](int64_t index) {
    if (index < 0 || index >= static_cast<int64_t>(values.size())) throw std::runtime_error("a node reads what no node before it wrote");
    return values[index];
  };
  const uint32_t count = nodes.Length();
  for (uint32_t i = 0; i < count; i++) {
    const Value node = nodes[i];
    const std::string op = node["op"].String();
    TF_OperationDescription *description = TF_NewOperation(graph.graph, op.c_str(), ("n" + std::to_string(i)).c_str());
    if (op == "Const") {
      SetConstant(description, node);
      values.push_back({TF_FinishOperation(description, status), 0});
      status.Check(op);
      continue;
    }
    const auto from = node["inputs"].Integers();
    const size_t list = node["list"].Integer();
    if (list > from.size()) throw std::runtime_error(op + " has fewer inputs than its list");
    std::vector<TF_Output> first;
    for (size_t j = 0; j < list; j++) first.push_back(at(from[j]));
    if (list > 0) TF_AddInputList(description, first.data(), first.size());
    for (size_t j = list; j < from.size(); j++) TF_AddInput(description, at(from[j]));
    const Value after = node["after"];
    if (after.IsArray()) for (const int64_t index : after.Integers()) TF_AddControlInput(description, at(index).oper);
    const Value attributes = node["attributes"];
    for (uint32_t j = 0; j < attributes.Length(); j++) SetAttribute(description, attributes[j]);
    TF_Operation *operation = TF_FinishOperation(description, status);
    status.Check(op);
    const int64_t made = node["outputs"].Integer();
    if (TF_OperationNumOutputs(operation) != made) throw std::runtime_error(op + " has not the outputs it is said to have");
    for (int j = 0; j < made; j++) values.push_back({operation, j});
  }
  std::vector<TF_Output> given, wanted;
  for (const int64_t index : inputs.Integers()) given.push_back(at(index));
  for (const int64_t index : outputs.Integers()) wanted.push_back(at(index));
  TF_Function *function = TF_GraphToFunction(graph.graph, name.c_str(), 0, -1, nullptr, given.size(), given.data(), wanted.size(),
                                             wanted.data(), nullptr, nullptr, nullptr, status);
  status.Check(name);
  TFE_ContextAddFunction(context, function, status);
  TF_DeleteFunction(function);
  status.Check(name);
}

struct AdamNumbers { float gradientFactor, decay, beta1, beta2, rate, vFactor, epsilon; };

/** As torch.optim.AdamW's single-tensor form, with rate = lr / (1 - beta1^t), vFactor = 1 / sqrt(1 - beta2^t), decay = 1 - lr * weightDecay. */
void AdamRange(const AdamNumbers &x, size_t from, size_t to, const float *__restrict p, float *__restrict m, float *__restrict v,
               const float *__restrict g, float *__restrict result) {
  const float keep1 = 1 - x.beta1, keep2 = 1 - x.beta2;
  for (size_t i = from; i < to; i++) {
    const float gradient = g[i] * x.gradientFactor;
    m[i] += (gradient - m[i]) * keep1;
    v[i] = v[i] * x.beta2 + keep2 * gradient * gradient;
    result[i] = p[i] * x.decay - x.rate * m[i] / (std::sqrt(v[i]) * x.vFactor + x.epsilon);
  }
}

/** Values of a float32 tensor, shared with TensorFlow; no copy where it lies in the processor's memory. */
struct FloatTensor {
  TF_Tensor *tensor;
  FloatTensor(const tfnodejs::TFJSBackend &backend, const Value &id) {
    const auto found = backend.tfe_handle_map_.find(static_cast<int32_t>(id.Integer()));
    if (found == backend.tfe_handle_map_.end()) throw std::runtime_error("there is no such tensor");
    Status status;
    tensor = TFE_TensorHandleResolve(found->second, status);
    status.Check("adamStep");
    if (TF_TensorType(tensor) != TF_FLOAT) {
      TF_DeleteTensor(tensor);
      throw std::runtime_error("adamStep takes float32 tensors");
    }
  }
  ~FloatTensor() { TF_DeleteTensor(tensor); }
  size_t Size() const { return TF_TensorElementCount(tensor); }
  float *Data() const { return static_cast<float *>(TF_TensorData(tensor)); }
};

int32_t AdamStep(const Value *a) {
  tfnodejs::TFJSBackend &backend = *tfnodejs::GetTFJSBackend(a[0].env);
  const FloatTensor p(backend, a[0]), m(backend, a[1]), v(backend, a[2]), g(backend, a[3]);
  const size_t size = p.Size();
  if (m.Size() != size || v.Size() != size || g.Size() != size) throw std::runtime_error("adamStep takes tensors of one size");
  const auto n = a[4].List<float>([](const Value &value) { return value.Number(); });
  if (n.size() != 7) throw std::runtime_error("adamStep takes seven numbers");
  const AdamNumbers numbers{n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
  std::vector<int64_t> shape(TF_NumDims(p.tensor));
  for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(p.tensor, i);
  tfnodejs::TF_AutoTensor result(TF_AllocateTensor(TF_FLOAT, shape.data(), shape.size(), size * sizeof(float)));
  float *out = static_cast<float *>(TF_TensorData(result.tensor));
  InParts(size, 1, [&](size_t, size_t from, size_t to) { AdamRange(numbers, from, to, p.Data(), m.Data(), v.Data(), g.Data(), out); });
  Status status;
  TFE_TensorHandle *handle = TFE_NewTensorHandle(result.tensor, status);
  status.Check("adamStep");
  return backend.InsertHandle(handle);
}

/** Calls `work` with the arguments; what it throws becomes an Error of JavaScript. */
template <uint32_t count, typename Work>
napi_value Call(napi_env env, napi_callback_info info, const Work &work) {
  size_t given = count;
  napi_value arguments[count], result = nullptr;
  try {
    Value::Check(napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr), "arguments");
    if (given < count) throw std::runtime_error("expected more arguments");
    if (!context) throw std::runtime_error("TensorFlow has not started");
    Value values[count];
    for (uint32_t i = 0; i < count; i++) values[i] = {env, arguments[i]};
    result = work(values);
  } catch (const std::exception &error) {
    bool pending;
    if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) napi_throw_error(env, nullptr, error.what());
  }
  return result;
}

napi_value DefineFunction(napi_env env, napi_callback_info info) {
  return Call<4>(env, info, [](Value *a) -> napi_value {
    Define(a[0].String(), a[1], a[2], a[3]);
    return nullptr;
  });
}

napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  return Call<1>(env, info, [](Value *a) -> napi_value {
    Status status;
    TFE_ContextRemoveFunction(context, a[0].String().c_str(), status);
    status.Check("removeFunction");
    return nullptr;
  });
}

napi_value AdamStep(napi_env env, napi_callback_info info) {
  return Call<5>(env, info, [env](Value *a) {
    napi_value id;
    Value::Check(napi_create_int32(env, AdamStep(a), &id), "a number");
    return id;
  });
}

}  // namespace

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  exports = tfnodejs::InitTFNodeJSBinding(env, exports);
  if (!exports) return nullptr;
  static std::once_flag registered;
  try {
    std::call_once(registered, [] { RegisterKernels(); RegisterFewRows(); });
  } catch (const std::exception &error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
  const std::pair<const char *, napi_callback> own[] = {
      {"defineFunction", DefineFunction}, {"removeFunction", RemoveFunction}, {"adamStep", AdamStep}};
  for (const auto &[name, callback] : own) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
