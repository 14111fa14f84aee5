// Files run side by side; TensorFlow then has one thread in each, which small tensors need no more of.
const jobs = Math.max(1, Math.min(4, require('node:os').availableParallelism()));
if (jobs > 1) process.env.TF_NUM_INTRAOP_THREADS ??= process.env.TF_NUM_INTEROP_THREADS ??= '1';

module.exports = { require: ['tsx/cjs'], spec: ['test/**/*.test.ts'], timeout: 120000, parallel: jobs > 1, jobs };
