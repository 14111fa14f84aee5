import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import { customGradient } from './gradients';
import { nativeOp } from './native';
import { tf } from './tensorflow';

/**
 * Mean cross entropy over the rows whose label is not `ignoreIndex`, as torch.nn.CrossEntropyLoss(ignore_index=…, label_smoothing=…)
 * computes it. One TensorFlow kernel gives loss and gradient; a one-hot of the vocabulary is made only where labels are smoothed: then the
 * target is 1 − labelSmoothing + labelSmoothing / classes at the label and labelSmoothing / classes elsewhere.
 *
 * @param logits (rows, classes) float32
 * @param labels (rows) int32, each ignoreIndex or in [0, classes)
 */
export function crossEntropy(logits: Tensor2D, labels: Tensor1D, ignoreIndex = -100, labelSmoothing = 0): Scalar {
  return customGradient([logits], (save) => {
    const counted = tf.notEqual(labels, ignoreIndex);
    const weights = tf.cast(counted, 'float32');
    // Ignored rows still need a label that the kernel accepts.
    const valid = tf.mul(labels, tf.cast(counted, 'int32')) as Tensor1D;
    const [losses, backprop] = labelSmoothing ? smoothed(logits, valid, labelSmoothing)
      : nativeOp('SparseSoftmaxCrossEntropyWithLogits', { T: { dtype: 'float32' }, Tlabels: { dtype: 'int32' } }, [logits, valid], 2);
    const scale = tf.div(weights, tf.sum(weights));
    save(backprop, scale);
    return tf.sum(tf.mul(losses, scale));
  }, (dy, [backprop, scale]) => [tf.mul(backprop, tf.expandDims(tf.mul(scale, dy), 1))]) as Scalar;
}

/** Each row's loss with smoothed targets, and its gradient. */
function smoothed(logits: Tensor2D, labels: Tensor1D, smoothing: number): Tensor[] {
  const classes = logits.shape[1], rest = smoothing / classes;
  const target = tf.oneHot(labels, classes, 1 - smoothing + rest, rest, 'float32');
  return nativeOp('SoftmaxCrossEntropyWithLogits', { T: { dtype: 'float32' } }, [logits, target], 2);
}

/**
 * Mean binary cross entropy over all entries, from logits, as torch.nn.BCEWithLogitsLoss.
 *
 * @param logits any shape, float32
 * @param targets same shape, values in [0, 1]
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Scalar {
  return customGradient([logits], (save) => {
    save(tf.div(tf.sub(tf.sigmoid(logits), targets), logits.size));
    // max(x, 0) − x·y + log(1 + e^−|x|) never overflows.
    return tf.mean(tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tf.log1p(tf.exp(tf.neg(tf.abs(logits))))));
  }, (dy, [slope]) => [tf.mul(slope, dy)]) as Scalar;
}
