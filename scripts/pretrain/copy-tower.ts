// The trained ViT's layers in networks that have the same ones under other names: what they start from.
import type { DeiT3, ViTForImageClassification } from '../../lib/models';
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
    for (const part of values) { joined.set(part, offset); offset += part.length; }
    parameter.load(joined);
  }
}

function missing(name: string): never { throw new Error(`There is no parameter ${name}.`); }

/** ViT → DeiT-III. The class token's position, which DeiT-III has not, goes into the class token. */
export function copyTower(source: ViTForImageClassification, target: DeiT3): void {
  const copier = new ParameterCopier(source, target);
  const { cls_token, position_embeddings } = source.vit.embeddings;
  const width = source.config.hiddenSize, positions = position_embeddings.save();
  target.cls_token.load(cls_token.save().map((value, i) => value + positions[i]));
  target.pos_embed.load(positions.slice(width));
  for (const end of ['weight', 'bias']) {
    copier.copy(`patch_embed.proj.${end}`, `vit.embeddings.patch_embeddings.projection.${end}`);
    for (let i = 0; i < source.config.numHiddenLayers; i++) {
      const layer = `vit.encoder.layer.${i}`, block = `blocks.${i}`;
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
