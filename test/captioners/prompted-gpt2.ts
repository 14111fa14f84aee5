/** The network of prompted-gpt2.json, filled as its script fills transformers'. */
import { tf, type Tensor } from '../../lib/engine';
import { toCamelCase, VisionEncoderDecoderModel } from '../../lib/models';
import fixture from '../fixtures/captioners/prompted-gpt2.json';
import { fillByFormula, formulaValues } from '../formula';

export const expected = fixture as unknown as {
  config: Record<string, number>; end: number; prompt: number[]; captions: number[][]; beginnings: number[][];
  loss: { text: number; batch: number }; logits: number[]; gradients: Record<string, number[]>;
  generated: { options: Record<string, unknown>; sequences: number[][]; scores: number[] | null }[];
};

export function promptedGpt2(): { model: VisionEncoderDecoderModel; features: Tensor } {
  const { config, end } = expected, { n_embd: hiddenSize } = config;
  const encoder = { imageSize: 8, patchSize: 4, hiddenSize, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8 };
  const model = new VisionEncoderDecoderModel({ encoder, decoder: toCamelCase(config), decoderStartTokenId: end, padTokenId: end });
  model.generationConfig = { decoderStartTokenId: end, eosTokenId: end, padTokenId: end };
  fillByFormula(model.decoder);
  const shape = [expected.captions.length, 7, hiddenSize];
  return { model, features: tf.tensor(formulaValues('features', shape), shape) };
}
