// The trained ViT's layers, or its first ones, in networks that have the same under other names: what they start from.
import type { CLIPVisionModel, DeiT3, SmolVLMVisionTransformer, ViTForImageClassification } from '../../lib/models';
import type { Module, Parameter } from '../../lib/nn';

/** Copies values between parameters; a target that holds several side by side (query, key, value) takes all of its sources. */
export class ParameterCopier {
  private readonly from: Map<string, Parameter>;
  private readonly to: Map<string, Parameter>;

  constructor(source: Module, target: Module) {
    this.from = new Map(source.namedParameters());
    this.to = new Map(target.namedParameters());
  }

  copy(target: string, ...sources: string[]): void {
    const parameter = this.to.get(target);
    const values = sources.map((name) => this.from.get(name)?.save() ?? missing(name));
    if (!parameter) return missing(target);
    const size = values.reduce((sum, { length }) => sum + length, 0);
    if (size !== parameter.size) throw new Error(`${target} has ${parameter.size} values, ${sources.join(' + ')} ${size}.`);
    const joined = new Float32Array(size);
    let offset = 0;
    for (const part of values) {
      joined.set(part, offset);
      offset += part.length;
    }
    parameter.load(joined);
  }
}

function missing(name: string): never {
  throw new Error(`There is no parameter ${name}.`);
}

/** ViT → DeiT-III. The class token's position, which DeiT-III has not, goes into the class token. */
export function copyTower(source: ViTForImageClassification, target: DeiT3): void {
  const copier = new ParameterCopier(source, target);
  const { cls_token, position_embeddings } = source.vit.embeddings;
  const width = source.config.hiddenSize,
    positions = position_embeddings.save();
  target.cls_token.load(cls_token.save().map((value, i) => value + positions[i]));
  target.pos_embed.load(positions.slice(width));
  for (const end of ['weight', 'bias']) {
    copier.copy(`patch_embed.proj.${end}`, `vit.embeddings.patch_embeddings.projection.${end}`);
    for (let i = 0; i < target.config.depth; i++) {
      const layer = `vit.encoder.layer.${i}`,
        block = `blocks.${i}`;
      copier.copy(`${block}.norm1.${end}`, `${layer}.layernorm_before.${end}`);
      copier.copy(`${block}.attn.qkv.${end}`, ...['query', 'key', 'value'].map((part) => `${layer}.attention.attention.${part}.${end}`));
      copier.copy(`${block}.attn.proj.${end}`, `${layer}.attention.output.dense.${end}`);
      copier.copy(`${block}.norm2.${end}`, `${layer}.layernorm_after.${end}`);
      copier.copy(`${block}.mlp.fc1.${end}`, `${layer}.intermediate.dense.${end}`);
      copier.copy(`${block}.mlp.fc2.${end}`, `${layer}.output.dense.${end}`);
    }
    copier.copy(`norm.${end}`, `vit.layernorm.${end}`);
    copier.copy(`head.${end}`, `classifier.${end}`);
  }
}

/** Standard deviation of the ViT's embedded patches, which its residual sums start from. */
const EMBEDDED = 0.8;

const LAYER = 'vit.encoder.layer';
export const EMBEDDINGS = 'vit.embeddings';

/** The layers of CLIP's, BLIP's and SigLIP's encoders: `prefix` is the path of `encoder.layers`. */
export function copyLayers(copier: ParameterCopier, count: number, prefix: string, fused: boolean): void {
  for (let i = 0; i < count; i++) {
    const [from, to] = [`${LAYER}.${i}`, `${prefix}.${i}`];
    for (const end of ['weight', 'bias']) {
      const parts = ['query', 'key', 'value'].map((part) => `${from}.attention.attention.${part}.${end}`);
      copier.copy(`${to}.layer_norm1.${end}`, `${from}.layernorm_before.${end}`);
      if (fused) copier.copy(`${to}.self_attn.qkv.${end}`, ...parts);
      else ['q_proj', 'k_proj', 'v_proj'].forEach((name, part) => copier.copy(`${to}.self_attn.${name}.${end}`, parts[part]));
      copier.copy(`${to}.self_attn.${fused ? 'projection' : 'out_proj'}.${end}`, `${from}.attention.output.dense.${end}`);
      copier.copy(`${to}.layer_norm2.${end}`, `${from}.layernorm_after.${end}`);
      copier.copy(`${to}.mlp.fc1.${end}`, `${from}.intermediate.dense.${end}`);
      copier.copy(`${to}.mlp.fc2.${end}`, `${from}.output.dense.${end}`);
    }
  }
}

/** ViT → CLIP's image tower, whose patches have no bias (it goes into their positions) and which normalises once more. */
export function towerToClip(source: ViTForImageClassification, target: CLIPVisionModel): void {
  const copier = new ParameterCopier(source, target);
  const { cls_token, position_embeddings, patch_embeddings } = source.vit.embeddings;
  const width = source.config.hiddenSize,
    bias = patch_embeddings.projection.bias!.save(),
    positions = position_embeddings.save();
  target.embeddings.class_embedding.load(cls_token.save());
  copier.copy('embeddings.patch_embedding.weight', `${EMBEDDINGS}.patch_embeddings.projection.weight`);
  target.embeddings.position_embedding.weight.load(positions.map((value, i) => (i < width ? value : value + bias[i % width])));
  copyLayers(copier, target.config.numHiddenLayers, 'encoder.layers', false);
  for (const end of ['weight', 'bias']) copier.copy(`post_layernorm.${end}`, `vit.layernorm.${end}`);
  target.pre_layrnorm.weight.load(new Float32Array(width).fill(EMBEDDED));
}

/** ViT → SmolVLM's image tower, which has no class token. */
export function towerToSigLip(source: ViTForImageClassification, target: SmolVLMVisionTransformer): void {
  const copier = new ParameterCopier(source, target);
  const width = source.config.hiddenSize;
  target.embeddings.position_embedding.weight.load(source.vit.embeddings.position_embeddings.save().slice(width));
  for (const end of ['weight', 'bias']) {
    copier.copy(`embeddings.patch_embedding.${end}`, `${EMBEDDINGS}.patch_embeddings.projection.${end}`);
    copier.copy(`post_layernorm.${end}`, `vit.layernorm.${end}`);
  }
  copyLayers(copier, target.config.numHiddenLayers, 'encoder.layers', false);
}
