/**
 * Loads TensorFlow once, through @tensorflow/tfjs-node-gpu and the addon that set-up builds. The only file that imports the
 * package; the rest of the library says `import { tf } from '../engine'`.
 */
import * as path from 'node:path';
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu';

function load(): typeof TensorFlow {
  // tfjs-node calls util.isNullOrUndefined, which Node 22 warns about and Node 23 removed.
  Object.defineProperty(require('node:util'), 'isNullOrUndefined', { value: (value: unknown) => value == null, configurable: true });
  // TensorFlow's notes (CPU features, oneDNN's lack of a kernel) are not the user's business; what fails is thrown as an error, too.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  // Without oneDNN, which TensorFlow leaves off where a processor has no AVX-512, matrix products with few rows take up to three times as long.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  const release = Number(process.env.TF_CPP_MIN_LOG_LEVEL) > 0 ? holdStandardError() : () => {};
  try {
    return require('@tensorflow/tfjs-node-gpu');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`TensorFlow could not be loaded (${reason}). Run \`npm run setup\`, then \`npm run doctor\`.`, { cause: error });
  } finally {
    release();
  }
}

/** Notes that TensorFlow's static initializers log on every start, before any log level is read. */
const startupNote = /^WARNING: All log messages before absl::InitializeLog|^I\d{4} /;

/** Holds standard error back by the small addon that set-up builds beside TensorFlow's; the result gives it back, less the notes. */
function holdStandardError(): () => void {
  try {
    const folder = path.join(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8');
    const addon = require(path.join(folder, 'stderr_hold.node')) as { hold(): boolean; release(): string };
    if (!addon.hold()) return () => {};
    return () => {
      const kept = addon.release().split('\n').filter((line) => line && !startupNote.test(line));
      if (kept.length > 0) process.stderr.write(`${kept.join('\n')}\n`);
    };
  } catch {
    return () => {}; // without it TensorFlow works just as well, with its note
  }
}

export const tf: typeof TensorFlow = load();
tf.enableProdMode();
