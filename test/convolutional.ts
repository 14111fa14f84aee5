import assert from 'node:assert/strict';
import { tf, valueAndGradients, type Scalar, type Tensor, type Tensor4D } from '../lib/engine';
import type { ConvolutionalNetwork, ConvolutionalOutputs } from '../lib/models';
import { formulaValues } from './formula';
import { every, relativeTo } from './relative-to';

export interface ExpectedMap { shape: number[]; values: number[] }
/** What scripts/reference/convolutional.py says of one network and picture. */
export interface ExpectedOutputs { hiddenStates: ExpectedMap[]; lastHiddenState: ExpectedMap; logits: number[] }
export interface ExpectedTraining {
  pixels: string; shape: number[]; labels: number[]; loss: number; logits: number[]; gradients: Record<string, number[]>; buffers?: Record<string, number[]>;
}

/** The formula's pixels, NCHW. */
export const pixelsByFormula = (shape: number[], name = 'pixels'): Tensor4D => tf.tensor(formulaValues(name, shape), shape as [number, number, number, number]);

/** All outputs of a forward pass with hidden states on NCHW pixels. */
export function compareOutputs(outputs: ConvolutionalOutputs, expected: ExpectedOutputs, count = 64): void {
  assert.equal(outputs.hiddenStates!.length, expected.hiddenStates.length);
  for (const [i, { shape, values }] of expected.hiddenStates.entries()) {
    assert.deepEqual(outputs.hiddenStates![i].shape, shape, `hidden state ${i}`);
    relativeTo(every(outputs.hiddenStates![i].dataSync(), count), values, 1e-4, `hidden state ${i}`);
  }
  assert.deepEqual(outputs.lastHiddenState.shape, expected.lastHiddenState.shape);
  relativeTo(every(outputs.lastHiddenState.dataSync(), count), expected.lastHiddenState.values, 1e-4, 'last hidden state');
  relativeTo(outputs.logits.dataSync(), expected.logits, 1e-4, 'logits');
  const [batch, channels] = expected.lastHiddenState.shape;
  assert.deepEqual(outputs.poolerOutput.shape, [batch, channels]);
  const pooled = tf.mean(outputs.lastHiddenState, [2, 3]);
  relativeTo(outputs.poolerOutput.dataSync(), pooled.dataSync(), 1e-5, 'pooler output');
  pooled.dispose();
}

export interface TrainingComparison {
  /** The reference's name of a parameter. */
  rename?: (name: string) => string;
  /** About how many values the reference sampled of each. */
  count?: number;
  /** Parameters whose true gradient is 0, because a batch norm takes away what they add: rounding is all there is to compare. */
  zero?: RegExp;
}

/** Logits, loss, every parameter's gradient, and in training mode the statistics of the batch norms. The model's parameters are used up. */
export function compareTraining(model: ConvolutionalNetwork, expected: ExpectedTraining, options: TrainingComparison = {}): void {
  const { rename = (name) => name, count = 12, zero } = options;
  const pixelValues = pixelsByFormula(expected.shape, expected.pixels), labels = tf.tensor1d(expected.labels, 'int32');
  model.train(expected.buffers !== undefined);
  const all = [...model.namedParameters()], named = all.filter(([, p]) => !p.isBuffer), buffers = all.filter(([, p]) => p.isBuffer);
  let logits: Float32Array | undefined;
  const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
    const outputs = model.forward({ pixelValues, labels });
    logits = outputs.logits.dataSync() as Float32Array;
    return outputs.loss!;
  }) as Scalar, named.map(([, p]) => p.tensor));
  relativeTo(logits!, expected.logits, 1e-4, 'logits');
  relativeTo(value.dataSync(), [expected.loss], 1e-4, 'loss');
  assert.equal(named.length, Object.keys(expected.gradients).length);
  for (const [i, [name, parameter]] of named.entries()) {
    parameter.assign(gradients[i] as Tensor);
    if (!zero?.test(name)) relativeTo(every(parameter.save(), count), expected.gradients[rename(name)], 1e-3, name);
  }
  for (const [name, buffer] of expected.buffers ? buffers : []) relativeTo(every(buffer.save(), count), expected.buffers![rename(name)], 1e-4, name);
  tf.dispose([pixelValues, labels, value]);
}
