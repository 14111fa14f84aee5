/** Calls of public functions, small enough for all of them to be made in a second or two. */
import * as captioning from '../../lib/index';
import { tf, type Scalar, type Tensor1D, type Tensor2D, type Tensor4D } from '../../lib/engine';
import * as models from '../../lib/models';
import * as nn from '../../lib/nn';
import { toyBatches } from '../training/toy-regression';
import { broken, brokenInTidy, fixed, integers, on, random, type Call } from './fixed-tensors';

export function functionCalls(): Record<string, Call> {
  const x = fixed(2, 3, 4), rows = fixed(2, 4), square = fixed(4, 4), map = fixed<Tensor4D>(1, 4, 4, 3) as Tensor4D, wide = fixed(5, 7);
  const gates = fixed(2, 16), gates3 = fixed(2, 12), heads = fixed(2, 2, 3, 2);
  const labels = integers([1, -100, 2, 0, 1, 2], [2, 3]), ids = integers([1, 2, 3, 0, 1, 2], [2, 3]);
  const logits = fixed(2, 3, 4), mask = integers([0, 1, 1, 1, 1, 1], [2, 3]), at = integers<Tensor1D>([1, 0]);
  const initial = { initialHidden: rows, initialCell: rows };
  const attending = { ...initial, features: fixed(2, 3, 5), projected: fixed(2, 3, 4), scoreWeight: fixed(1, 4) };
  const gru = { ...attending, wordGates: fixed(3, 2, 12), contextWeight: fixed(12, 5), hiddenWeight: fixed(16, 4), hiddenBias: fixed(12) };
  const lstm = { ...attending, wordGates: fixed(3, 2, 16), contextWeight: fixed(16, 5), hiddenWeight: fixed(25, 4), gateBias: fixed(5) };
  const distilling = { task: () => tf.scalar(1), encoder: () => tf.scalar(1), decoder: () => tf.scalar(1) };
  const weights = { beta: 0.5, temperature: 2, encoderWeight: 1, decoderWeight: 1 };
  const elementwise = ['gelu', 'geluTanh', 'quickGelu', 'relu', 'relu6', 'silu'] as const;
  type OfConfig = (config: object) => unknown;
  const wrong = fixed(9, 9, 9);
  return {
    adamSlot: { run: () => captioning.adamSlot([3]).dispose() },
    backend: { run: () => captioning.backend() },
    binaryCrossEntropy: { run: () => captioning.binaryCrossEntropy(rows, rows), fails: () => captioning.binaryCrossEntropy(rows, wide) },
    crossEntropy: {
      run: () => captioning.crossEntropy(square as Tensor2D, integers<Tensor1D>([1, 2, 3, -100]), -100, 0.1),
      fails: () => captioning.crossEntropy(square as Tensor2D, at),
    },
    currentPrecision: { run: () => captioning.currentPrecision() },
    customGradient: {
      run: () => captioning.customGradient([rows], (save) => { save(rows); return tf.square(rows); }, (dy) => [dy]),
      fails: () => captioning.customGradient([rows], brokenInTidy, (dy) => [dy]),
    },
    gatherRows: { run: () => captioning.gatherRows(square, ids), fails: () => captioning.gatherRows(square, rows) },
    hasFastBfloat16: { run: () => captioning.hasFastBfloat16() },
    inPrecision: {
      run: () => captioning.inPrecision([rows, square], (a, b) => tf.matMul(a, b)),
      fails: () => captioning.inPrecision([rows, wide], (a, b) => tf.matMul(a, b)),
    },
    matMul: {
      run: () => captioning.withPrecision('bfloat16', () => captioning.matMul(rows, square)),
      fails: () => captioning.withPrecision('bfloat16', () => captioning.matMul(rows, wide)),
    },
    nativeOp: {
      run: () => captioning.nativeOp('L2Loss', { T: { dtype: 'float32' } }, [rows]),
      fails: () => captioning.nativeOp('NoSuchOp', {}, [rows]),
    },
    randomNormal: { run: () => captioning.randomNormal([2], [1, 2]), fails: () => captioning.randomNormal([-2], [1, 2]) },
    randomUniform: { run: () => captioning.randomUniform([2], [1, 2]), fails: () => captioning.randomUniform([-2], [1, 2]) },
    repeatedProduct: { run: () => captioning.repeatedProduct(square)(rows), fails: () => captioning.repeatedProduct(square)(wide) },
    roundToBfloat16: { run: () => captioning.roundToBfloat16(rows) },
    tensorCount: { run: () => captioning.tensorCount() },
    tensorflowVersion: { run: () => captioning.tensorflowVersion() },
    valueAndGradients: {
      run: () => captioning.valueAndGradients(() => tf.sum(tf.square(rows)) as Scalar, [rows, wide]),
      fails: () => captioning.valueAndGradients(brokenInTidy, [rows]),
    },
    withPeakBytes: {
      run: () => captioning.withPeakBytes(() => tf.sum(rows)),
      fails: () => captioning.withPeakBytes(() => tf.tidy(brokenInTidy)),
    },
    withPrecision: {
      run: () => captioning.withPrecision('bfloat16', () => captioning.matMul(rows, square)),
      fails: () => captioning.withPrecision('half' as never, () => rows),
    },
    yieldToEventLoop: { run: () => captioning.yieldToEventLoop() },

    activation: { run: () => nn.activation('gelu')(x), fails: () => nn.activation('swish' as never) },
    ...Object.fromEntries(elementwise.map((name): [string, Call] => [name, { run: () => nn[name](x) }])),
    attend: {
      run: () => nn.attend(attending.features, attending.projected, rows, attending.scoreWeight),
      fails: () => nn.attend(attending.features, attending.projected, wide, attending.scoreWeight),
    },
    attention: { run: () => nn.attention(heads, heads, heads), fails: () => nn.attention(heads, wrong, heads) },
    attentionMask: {
      run: () => nn.attentionMask({ causal: { queries: 3, keys: 3 }, padding: mask }),
      fails: () => nn.attentionMask({ causal: { queries: 3, keys: 4 }, padding: mask }),
    },
    attentionGru: {
      run: () => nn.attentionGru(gru),
      fails: () => nn.attentionGru({ ...gru, contextWeight: wrong }),
    },
    attentionLstm: {
      run: () => nn.attentionLstm(lstm, 'tanh'),
      fails: () => nn.attentionLstm({ ...lstm, contextWeight: wrong }, 'tanh'),
    },
    convNorm: on(() => ({ conv: new nn.Conv2d(3, 2, random, { kernelSize: 3, padding: 1 }), norm: new nn.BatchNorm2d(2) }),
      ({ conv, norm }) => nn.convNorm(map, conv, norm, 'relu6'), ({ conv, norm }) => nn.convNorm(wide as never, conv, norm)),
    gruGates: { run: () => nn.gruGates(gates3, gates3, rows), fails: () => nn.gruGates(gates3, gates, wide) },
    heNormal: { run: () => nn.heNormal([2, 3], 3, random), fails: () => nn.heNormal([-2], 3, random) },
    normal: { run: () => nn.normal([2, 3], 1, random), fails: () => nn.normal([-2], 1, random) },
    uniform: { run: () => nn.uniform([2, 3], 1, random), fails: () => nn.uniform([-2], 1, random) },
    layerNorm: { run: () => nn.layerNorm(x, fixed(4), fixed(4), 1e-5), fails: () => nn.layerNorm(wide, fixed(4), fixed(4), 1e-5) },
    rmsNorm: { run: () => nn.rmsNorm(x, fixed(4), 1e-5), fails: () => nn.rmsNorm(wide, fixed(4), 1e-5) },
    lstmSequence: {
      run: () => nn.lstmSequence({ inputGates: fixed(3, 2, 16), initialHidden: rows, initialCell: rows, hiddenWeight: fixed(16, 4) }),
      fails: () => nn.lstmSequence({ inputGates: fixed(3, 2, 16), initialHidden: rows, initialCell: rows, hiddenWeight: wide }),
    },
    splitHeads: { run: () => nn.splitHeads(x, 2), fails: () => nn.splitHeads(x, 3) },
    mergeHeads: { run: () => nn.mergeHeads(heads), fails: () => nn.mergeHeads(wide) },
    replaceRows: { run: () => nn.replaceRows(square, rows, at), fails: () => nn.replaceRows(square, wide, at) },
    rotaryTables: { run: () => nn.rotaryTables(ids, 4, 100), fails: () => nn.rotaryTables(ids, 3, 100) },
    rotate: {
      run: () => nn.rotate(heads, { cos: fixed(2, 1, 3, 2), sin: fixed(2, 1, 3, 2) }),
      fails: () => nn.rotate(heads, { cos: wide, sin: wide }),
    },
    summarize: on(() => new nn.Linear(2, 3, random), (layer) => nn.summarize(layer)),

    anySizeChannelsLast: { run: () => models.anySizeChannelsLast(fixed(1, 3, 4, 4), 3), fails: () => models.anySizeChannelsLast(wide, 3) },
    channelsLast: { run: () => models.channelsLast(fixed(1, 3, 4, 4), 3, 4), fails: () => models.channelsLast(wide, 3, 4) },
    inLayout: { run: () => models.inLayout(map, 'NCHW'), fails: () => models.inLayout(wide as never, 'NCHW') },
    languageModelHead: {
      run: () => models.languageModelHead(x, square, { labels, bias: fixed(4) }),
      fails: () => models.languageModelHead(x, wide, {}),
    },
    nextWordLoss: {
      run: () => models.nextWordLoss(logits, labels, 0.1),
      fails: () => models.nextWordLoss(logits, integers([1, 2, 3, 0, 1, 2], [3, 2])),
    },
    pastPositions: { run: () => models.pastPositions([{ key: heads, value: heads }], 2) },
    withNext: { run: () => models.withNext(heads, heads, undefined), fails: () => models.withNext(heads, wide, undefined) },
    positionIdsOf: { run: () => models.positionIdsOf(mask), fails: () => models.positionIdsOf(at) },
    throughLayers: on(() => new nn.Conv2d(3, 3, random, { kernelSize: 3, padding: 1 }),
      (conv) => models.throughLayers(map, [conv, conv], map), (conv) => models.throughLayers(map, [conv, conv, { forward: broken }], map)),
    ...Object.fromEntries((['completeConfig', 'llamaCacheShape'] as const).map((name): [string, Call] =>
      [name, { run: () => (models[name] as OfConfig)({ ...models.llamaDefaults }) }])),
    leftPadding: { run: () => models.leftPadding([[0, 1]]), fails: () => models.leftPadding([[1, 0, 1]]) },
    makeDivisible: { run: () => models.makeDivisible(33) },
    readPrompt: { run: () => models.readPrompt({ inputIds: ids, attentionMask: mask }, {} as never) },

    attentionRows: { run: () => captioning.attentionRows({ attention: rows } as never)(1) },
    reorderRows: {
      run: () => captioning.reorderRows([tf.ones([2, 3])], Int32Array.of(1, 0)),
      fails: () => { const state = tf.ones([2, 3]); return captioning.reorderRows([state], Int32Array.of(7, 0)); },
    },
    repeatRows: { run: () => captioning.repeatRows(rows, 3), fails: () => captioning.repeatRows(rows, -1) },
    wordLosses: {
      run: () => captioning.wordLosses(logits, labels as Tensor2D).loss,
      fails: () => captioning.wordLosses(logits, at as never),
    },
    padTexts: { run: () => captioning.padTexts([[1, 2], [3]], 0), fails: () => captioning.padTexts([[1, 2, 3]], 0, 2) },
    featureDistillation: { run: () => captioning.featureDistillation(x, x), fails: () => captioning.featureDistillation(x, rows) },
    wordDistillation: {
      run: () => captioning.wordDistillation(rows as Tensor2D, rows as Tensor2D, at, 2),
      fails: () => captioning.wordDistillation(rows as Tensor2D, wide as Tensor2D, at, 2),
    },
    distillationLoss: {
      run: () => captioning.distillationLoss(distilling, weights),
      fails: () => captioning.distillationLoss({ ...distilling, encoder: broken }, weights),
    },
    meanLoss: {
      run: () => captioning.meanLoss(toyBatches(8, 4), ({ x }) => tf.sum(x)),
      fails: () => captioning.meanLoss(toyBatches(8, 4), broken),
    },
    learningRateName: { run: () => captioning.learningRateName(0.1) },
  };
}
