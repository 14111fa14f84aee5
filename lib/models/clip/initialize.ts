import type { Random } from '../../engine';
import { normal, type Linear, type Parameter } from '../../nn';
import type { PreNormEncoder, PreNormEncoderConfig, ProjectedAttention } from '../pre-norm-encoder';

/** Normal with mean 0, in the place of what the parameter holds. */
export function drawNormal(parameter: Parameter, std: number, random: Random): void {
  parameter.assign(normal(parameter.shape, std, random));
}

/** CLIP's start (transformers' CLIPPreTrainedModel._init_weights): some layers smaller by the root of the number of residual sums. */
export function initializeEncoder(encoder: PreNormEncoder<ProjectedAttention>, config: PreNormEncoderConfig, random: Random): void {
  const { hiddenSize, numHiddenLayers } = config;
  const width = hiddenSize ** -0.5, residual = width * (2 * numHiddenLayers) ** -0.5;
  const draw = ({ weight, bias }: Linear, std: number) => {
    drawNormal(weight, std, random);
    if (bias) bias.load(new Float32Array(bias.size));
  };
  for (const { self_attn, mlp } of encoder.layers) {
    for (const layer of [self_attn.q_proj, self_attn.k_proj, self_attn.v_proj]) draw(layer, residual);
    draw(self_attn.out_proj, width);
    draw(mlp.fc1, (2 * hiddenSize) ** -0.5);
    draw(mlp.fc2, residual);
  }
}
