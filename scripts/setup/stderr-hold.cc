// Holds what is written to standard error while TensorFlow's libraries load. Their static initializers log a note on every
// start ("oneDNN custom operations are on ...") before TF_CPP_MIN_LOG_LEVEL is read, so no setting can silence it.
//   hold()            standard error goes to an anonymous file from here on; false if that is not possible
//   release()         standard error is back; returns the text that was held
#include <node_api.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdio>
#include <string>

namespace {
int saved = -1;
int held = -1;

napi_value Hold(napi_env env, napi_callback_info) {
  bool holding = false;
  if (saved < 0) {
    std::fflush(stderr);
    held = memfd_create("stderr", MFD_CLOEXEC);
    saved = held < 0 ? -1 : dup(STDERR_FILENO);
    holding = saved >= 0 && dup2(held, STDERR_FILENO) >= 0;
    if (!holding) {
      if (held >= 0) close(held);
      if (saved >= 0) close(saved);
      saved = held = -1;
    }
  }
  napi_value result;
  napi_get_boolean(env, holding, &result);
  return result;
}

napi_value Release(napi_env env, napi_callback_info) {
  std::string text;
  if (saved >= 0) {
    std::fflush(stderr);
    dup2(saved, STDERR_FILENO);
    char buffer[4096];
    off_t offset = 0;
    for (ssize_t n; (n = pread(held, buffer, sizeof buffer, offset)) > 0; offset += n) text.append(buffer, n);
    close(saved);
    close(held);
    saved = held = -1;
  }
  napi_value result;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}
}  // namespace

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value hold, release;
  napi_create_function(env, "hold", NAPI_AUTO_LENGTH, Hold, nullptr, &hold);
  napi_create_function(env, "release", NAPI_AUTO_LENGTH, Release, nullptr, &release);
  napi_set_named_property(env, exports, "hold", hold);
  napi_set_named_property(env, exports, "release", release);
  return exports;
}
