#include <cstddef>

/** Makes the operations of kernels.cc TensorFlow's; once in a process. */
void RegisterKernels();

/** As many threads as TensorFlow has for one operation. */
std::size_t ThreadCount();
