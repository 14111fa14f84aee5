/** Calls of public layers, networks and what else holds tensors, on tiny configurations. */
import * as captioners from '../../lib/captioners';
import { ResourceVariable, GraphFunction, tf, type Tensor, type Tensor2D, type Tensor4D } from '../../lib/engine';
import * as models from '../../lib/models';
import * as nn from '../../lib/nn';
import { Adam } from '../../lib/training';
import { ToyNet } from '../training/toy-regression';
import { fixed, integers, on, random, type Call } from './fixed-tensors';

const encoder = {
  hiddenSize: 4, intermediateSize: 8, numHiddenLayers: 2, numAttentionHeads: 2, hiddenAct: 'gelu', layerNormEps: 1e-5, attentionDropout: 0,
} as const;
const vision = { ...encoder, imageSize: 8, patchSize: 4 };
const bert = {
  ...encoder, vocabSize: 9, maxPositionEmbeddings: 8, typeVocabSize: 2, layerNormEps: 1e-12, padTokenId: 0,
  hiddenDropoutProb: 0, attentionProbsDropoutProb: 0,
};
const blipText = { ...bert, typeVocabSize: undefined, encoderHiddenSize: 4, bosTokenId: 1, sepTokenId: 2 };
const clipText = { ...encoder, vocabSize: 9, maxPositionEmbeddings: 8, eosTokenId: 2 };
const gpt2 = { vocabSize: 9, nPositions: 8, nEmbd: 4, nLayer: 2, nHead: 2 };
const llama = { vocabSize: 9, hiddenSize: 4, intermediateSize: 8, numHiddenLayers: 2, numAttentionHeads: 2, maxPositionEmbeddings: 16 };
const transformer = { ...captioners.transformerDecoderDefaults, numLayers: 2, numHeads: 2, feedForwardSize: 8 };
const small = { vocabSize: 9, featureSize: 5, embedSize: 4, hiddenSize: 4, dropout: 0.1 };
const deit = { imgSize: 8, patchSize: 4, embedDim: 4, depth: 2, numHeads: 2, numClasses: 3 };
const generated = { maxNewTokens: 3, numBeams: 2 };
const all = { outputHiddenStates: true, outputAttentions: true };

export function moduleCalls(): Record<string, Call> {
  const x = fixed(2, 3, 4), rows = fixed(2, 4), wide = fixed(5, 7), map = fixed<Tensor4D>(1, 4, 4, 3), pixels = fixed<Tensor4D>(2, 3, 8, 8);
  const ids = integers<Tensor2D>([1, 2, 3, 0, 1, 2], [2, 3]), labels = integers<Tensor2D>([1, -100, 2, 0, 1, 2], [2, 3]);
  const mask = integers([1, 1, 1, 1, 1, 1], [2, 3]);
  const big = fixed<Tensor4D>(1, 64, 64, 3), bigNCHW = fixed(1, 3, 64, 64), classes = integers([1, 0]);
  const features = fixed(2, 3, 5), batch = { features, inputIds: ids, labels };
  type Decoder = captioners.CaptionDecoder & { forward(features: Tensor, ids: Tensor2D): unknown };
  const inputs = { inputIds: ids, labels }, wrongLabels = { inputIds: ids, labels: classes };

  /** A decoder of captions: trained, and asked for the next words of a search. */
  const decoder = <D extends Decoder>(make: () => D): Call => on(make, (d) => {
    const steps = d.stepDecoder(features), state = steps.start(2, 1);
    const { state: next, ...step } = steps.step(Int32Array.of(1, 1), state);
    tf.dispose([...state, ...next, step.logits, step.attention ?? []] as never);
    steps.dispose();
    return [d.forward(features, ids), d.loss(batch), d.losses(batch)];
  }, (d) => d.loss({ ...batch, features: wide }));
  const convolutional = (make: () => models.ConvolutionalNetwork): Call => on(make, (network) => [
    network.forward({ pixelValues: big, labels: integers([1]), outputHiddenStates: true }), network.featureMap(big),
    network.forward({ pixelValues: bigNCHW }),
  ], (network) => network.forward({ pixelValues: big, labels: ids }));

  return {
    ResourceVariable: on(() => new ResourceVariable(rows), (variable) => { variable.assign(rows); return variable.read(); }),
    GraphFunction: on(() => new GraphFunction(({ a }: { a: Tensor }) => [tf.square(a)], () => []),
      (square) => [square.run({ a: rows }), square.run({ a: rows })], (square) => square.run({ a: undefined as never })),
    Parameter: on(() => new nn.Parameter(tf.ones([2, 3])),
      (parameter) => { parameter.load(new Float32Array(6)); parameter.assign(tf.ones([2, 3])); return parameter.save(); },
      (parameter) => parameter.load(new Float32Array(5))),
    Module: on(() => new ToyNet(random),
      (net) => [net.train().eval().freeze().unfreeze() && 0, net.parameters().length, net.summary(), net.loss({ x: rows, y: fixed(2, 1) })],
      (net) => net.loss({ x: wide, y: rows })),
    checkpointed: on(() => new models.PreNormLayer(encoder, random, models.FusedAttention),
      (layer) => nn.checkpointed(layer as never, x), (layer) => nn.checkpointed(layer as never, wide)),
    AdditiveAttention: on(() => new nn.AdditiveAttention(5, 4, random), (layer) => {
      const projected = layer.projectFeatures(features);
      return [projected, layer.forward(features, projected, rows), layer.featureWeight(), layer.hiddenWeight()];
    }, (layer) => layer.projectFeatures(wide)),
    BatchNorm2d: on(() => new nn.BatchNorm2d(3),
      (layer) => [layer.forward(map), layer.affine(), layer.train() && layer.forward(map), layer.eval() && 0],
      (layer) => layer.forward(fixed(2, 4, 4, 2))),
    Conv1D: on(() => new nn.Conv1D(4, 3, random), (layer) => layer.forward(x), (layer) => layer.forward(wide)),
    Conv2d: on(() => new nn.Conv2d(3, 2, random, { kernelSize: 3, padding: 1, stride: 2, bias: true }),
      (layer) => [layer.forward(map), layer.convolve(map, fixed(3, 3, 3, 2))], (layer) => layer.forward(fixed(2, 4, 4, 2))),
    Dropout: on(() => new nn.Dropout(0.5, random).train() as nn.Dropout, (layer) => layer.forward(x)),
    Embedding: on(() => new nn.Embedding(9, 4, random, 0), (layer) => layer.forward(ids), (layer) => layer.forward(x)),
    Gru: on(() => new nn.Gru(4, 4, random), (layer) => layer.step(rows, rows), (layer) => layer.step(wide, rows)),
    LayerNorm: on(() => new nn.LayerNorm(4), (layer) => layer.forward(x), (layer) => layer.forward(wide)),
    Linear: on(() => new nn.Linear(4, 3, random), (layer) => layer.forward(x), (layer) => layer.forward(wide)),
    Lstm: on(() => new nn.Lstm(4, 4, random, { numLayers: 2, dropout: 0.1 }), (layer) => {
      const state = layer.initialState(2);
      return [state, layer.forward(x, state), layer.step(rows, state)];
    }, (layer) => layer.forward(wide)),
    LstmCell: on(() => new nn.LstmCell(4, 4, random), (layer) => layer.forward(rows, { hidden: rows, cell: rows }),
      (layer) => layer.forward(wide, { hidden: rows, cell: rows })),
    MultiHeadAttention: on(() => new nn.MultiHeadAttention(4, 2, random), (layer) => {
      const memory = layer.memory(x);
      return [memory, layer.toItself(x, { past: memory }), layer.toMemory(x, memory)];
    }, (layer) => layer.memory(wide)),
    RMSNorm: on(() => new nn.RMSNorm(4), (layer) => layer.forward(x), (layer) => layer.forward(wide)),

    FusedAttention: on(() => new models.FusedAttention(encoder, random), (layer) => layer.forward(x, null),
      (layer) => layer.forward(wide, null)),
    ProjectedAttention: on(() => new models.ProjectedAttention(encoder, random), (layer) => layer.forward(x, null),
      (layer) => layer.forward(x, wide)),
    PreNormMLP: on(() => new models.PreNormMLP(encoder, random), (layer) => layer.forward(x), (layer) => layer.forward(wide)),
    PreNormLayer: on(() => new models.PreNormLayer(encoder, random, models.FusedAttention), (layer) => layer.forward(x, null),
      (layer) => layer.forward(wide, null)),
    PreNormEncoder: on(() => new models.PreNormEncoder(encoder, random, models.FusedAttention), (network) => network.forward(x, all),
      (network) => network.forward(wide)),
    BertEmbeddings: on(() => new models.BertEmbeddings(bert, random), (layer) => layer.forward({ inputIds: ids }),
      (layer) => layer.forward({ inputIds: ids }, 9)),
    BertEncoder: on(() => new models.BertEncoder(bert, random), (network) => network.forward(x, { ...all, mask: null, useCache: true }),
      (network) => network.forward(x, { mask: wide })),
    BertWordHead: on(() => new models.BertWordHead(bert, random), (head) => head.parameterCount()),
    BertModel: on(() => new models.BertModel(bert), (model) => model.forward({ inputIds: ids, attentionMask: mask, ...all }),
      (model) => model.forward({ inputIds: ids, attentionMask: wide })),
    BertForMaskedLM: on(() => new models.BertForMaskedLM(bert), (model) => model.forward(inputs), (model) => model.forward(wrongLabels)),
    BertForSequenceClassification: on(() => new models.BertForSequenceClassification(bert, 3),
      (model) => model.forward({ inputIds: ids, labels: classes }), (model) => model.forward({ inputIds: ids, labels: wide })),
    BlipVisionModel: on(() => new models.BlipVisionModel(vision), (model) => model.forward({ pixelValues: pixels, ...all }),
      (model) => model.forward({ pixelValues: map })),
    BlipTextLMHeadModel: on(() => new models.BlipTextLMHeadModel(blipText),
      (model) => model.forward({ ...inputs, ...all, encoderHiddenStates: x, useCache: true }),
      (model) => model.forward({ ...inputs, encoderHiddenStates: wide })),
    BlipForConditionalGeneration: on(() => new models.BlipForConditionalGeneration({ visionConfig: vision, textConfig: blipText }),
      (model) => [
      model.forward({ ...inputs, ...all, pixelValues: pixels }), model.generate({ pixelValues: pixels, outputAttentions: true }, generated),
    ], (model) => model.generate({ pixelValues: map }, generated)),
    CLIPTextModel: on(() => new models.CLIPTextModel(clipText),
      (model) => model.forward({ inputIds: ids, ...all }), (model) => model.forward({ inputIds: fixed(2, 9) })),
    CLIPVisionModel: on(() => new models.CLIPVisionModel(vision), (model) => model.forward({ pixelValues: pixels, ...all }),
      (model) => model.forward({ pixelValues: map })),
    CLIPModel: on(() => new models.CLIPModel({ textConfig: clipText, visionConfig: vision, projectionDim: 4 }),
      (model) => model.forward({ inputIds: ids, pixelValues: pixels, returnLoss: true }),
        (model) => model.forward({ inputIds: ids, pixelValues: map, returnLoss: true })),
    DeiT3: on(() => new models.DeiT3(deit), (model) => model.forward({ pixelValues: pixels, ...all }),
      (model) => model.forward({ pixelValues: map })),
    GPT2Model: on(() => new models.GPT2Model({ ...gpt2, addCrossAttention: true }),
      (model) => [model.forward({ inputIds: ids, ...all, encoderHiddenStates: x, useCache: true }), model.crossKeyValues(x)],
      (model) => model.forward({ inputIds: ids, attentionMask: wide })),
    GPT2LMHeadModel: on(() => new models.GPT2LMHeadModel(gpt2), async (model) => {
      for await (const [token] of model.stream({ inputIds: integers([1, 2], [1, 2]) }, { maxNewTokens: 2 })) if (token === undefined) break;
      return [model.forward(inputs), model.generate({ inputIds: ids }, generated)];
    }, (model) => model.forward(wrongLabels)),
    LlamaModel: on(() => new models.LlamaModel(llama), (model) => model.forward({ inputIds: ids, ...all, useCache: true }),
      (model) => model.forward({ inputIds: ids, attentionMask: wide })),
    LlamaForCausalLM: on(() => new models.LlamaForCausalLM(llama),
      (model) => [model.forward(inputs), model.generate({ inputIds: ids }, generated)], (model) => model.forward(wrongLabels)),
    SmolVLMVisionTransformer: on(() => new models.SmolVLMVisionTransformer(vision),
      (model) => model.forward({ pixelValues: pixels, ...all }),
      (model) => model.forward({ pixelValues: pixels, patchAttentionMask: wide })),
    ...Object.fromEntries((['SmolVLMModel', 'SmolVLMForConditionalGeneration'] as const).map((name): [string, Call] => [name, on(
      () => new models[name]({ visionConfig: vision, textConfig: llama, imageTokenId: 8, scaleFactor: 2 }),
      (model) => model.forward({ inputIds: integers([8, 1, 2, 8, 1, 3], [2, 3]), pixelValues: fixed(2, 1, 3, 8, 8) }),
        (model) => model.forward({ inputIds: ids, pixelValues: fixed(2, 1, 3, 8, 8) }))])),
    ViTModel: on(() => new models.ViTModel(vision, random, { pooler: true }), (model) => model.forward({ pixelValues: pixels, ...all }),
      (model) => model.forward({ pixelValues: map })),
    ViTForImageClassification: on(() => new models.ViTForImageClassification(vision, 3),
      (model) => model.forward({ pixelValues: pixels, labels: classes }), (model) => model.forward({ pixelValues: pixels, labels: ids })),
    VisionEncoderDecoderModel: on(
      () => new models.VisionEncoderDecoderModel({ encoder: vision, decoder: gpt2, decoderStartTokenId: 1, padTokenId: 1 }),
      (model) => [
      model.forward({ pixelValues: pixels, labels, ...all }), model.generate({ pixelValues: pixels }, generated),
    ], (model) => model.forward({ pixelValues: pixels, labels: classes as never })),
    MobileNetV2: convolutional(() => new models.MobileNetV2({ widthMultiplier: 0.1, lastChannel: 16, numClasses: 3 })),
    ResNet: convolutional(() => new models.ResNet({ embeddingSize: 4, hiddenSizes: [8, 8, 8, 8], depths: [1, 1, 1, 1], numLabels: 3 })),

    AttentionGruDecoder: decoder(() => new captioners.AttentionGruDecoder({ ...captioners.attentionGruDefaults, ...small }, random)),
    AttentionLstmDecoder: decoder(() =>
      new captioners.AttentionLstmDecoder({ ...captioners.attentionLstmDefaults, ...small, attentionSize: 4 }, random)),
    LstmDecoder: decoder(() => new captioners.LstmDecoder({ ...small, numLayers: 2 }, random)),
    TransformerDecoder: decoder(() => new captioners.TransformerDecoder({ ...transformer, ...small }, random)),
    Adam: on(() => {
      const net = new ToyNet(random), adam = new Adam(net.parameters(), { learningRate: 0.1, weightDecay: 0.1 });
      return { adam, dispose: () => { adam.dispose(); net.dispose(); } };
    }, ({ adam }) => {
      adam.step(adam.parameters.map(({ shape }) => tf.ones(shape)));
      return adam.moments();
    }, ({ adam }) => adam.step([])),
  };
}
