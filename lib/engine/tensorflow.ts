/**
 * Loads TensorFlow once, through @tensorflow/tfjs-node-gpu and the addon that set-up builds. The only file that imports the
 * package; the rest of the library says `import { tf } from '../engine'`.
 */
import * as util from 'node:util';
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu';

function load(): typeof TensorFlow {
  // tfjs-node calls util.isNullOrUndefined, which Node 23 removed.
  const patched = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean };
  if (!patched.isNullOrUndefined) {
    Object.defineProperty(require('node:util'), 'isNullOrUndefined', { value: (value: unknown) => value == null, configurable: true });
  }
  // TensorFlow's start-up notes (CPU features, oneDNN) are not the user's business; errors still show.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    return require('@tensorflow/tfjs-node-gpu');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`TensorFlow could not be loaded (${reason}). Run \`npm run setup\`, then \`npm run doctor\`.`, { cause: error });
  }
}

export const tf: typeof TensorFlow = load();
tf.enableProdMode();
