/**
 * ViT checkpoints with timm's names (timm/models/vision_transformer.py: vit_small_patch16_224 and its kin). Everything has one name there and
 * one here, except that timm keeps query, key and value in one tensor `qkv`, stacked in this order.
 */
import { loadState, openWeights, WeightsError, type StoredTensor, type WeightSource } from '../weights';
import type { ViTForImageClassification } from './vit';

const outside: Record<string, string> = {
  cls_token: 'vit.embeddings.cls_token', pos_embed: 'vit.embeddings.position_embeddings',
  'patch_embed.proj.weight': 'vit.embeddings.patch_embeddings.projection.weight', 'patch_embed.proj.bias': 'vit.embeddings.patch_embeddings.projection.bias',
  'norm.weight': 'vit.layernorm.weight', 'norm.bias': 'vit.layernorm.bias', 'head.weight': 'classifier.weight', 'head.bias': 'classifier.bias',
};
const inBlock: Record<string, string> = {
  norm1: 'layernorm_before', 'attn.proj': 'attention.output.dense', norm2: 'layernorm_after', 'mlp.fc1': 'intermediate.dense', 'mlp.fc2': 'output.dense',
};

/** Hugging Face's names for one of timm's: three for a `qkv`; the name itself where timm has no such tensor. */
export function timmToViTNames(name: string): string[] {
  if (Object.hasOwn(outside, name)) return [outside[name]];
  const [, block, part, kind] = /^blocks\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (part === 'attn.qkv') return ['query', 'key', 'value'].map((one) => `vit.encoder.layer.${block}.attention.attention.${one}.${kind}`);
  return [part && Object.hasOwn(inBlock, part) ? `vit.encoder.layer.${block}.${inBlock[part]}.${kind}` : name];
}

/** A source of timm's weights as one with Hugging Face's names: each `qkv` shows as three tensors, cut along its first axis. */
export function timmAsViT(source: WeightSource): WeightSource {
  const tensors = new Map<string, StoredTensor>(), origin = new Map<string, { stored: string; part: number; parts: number }>();
  for (const [stored, { dtype, shape }] of source.tensors) {
    const names = timmToViTNames(stored), parts = names.length;
    if (parts > 1 && !(shape[0] % parts === 0)) {
      throw new WeightsError(`${source.file}: tensor "${stored}" of shape [${shape}] does not divide into query, key and value.`);
    }
    for (const [part, name] of names.entries()) {
      if (tensors.has(name)) throw new WeightsError(`${source.file}: both "${origin.get(name)!.stored}" and "${stored}" stand for ${name}.`);
      tensors.set(name, { dtype, shape: parts === 1 ? shape : [shape[0] / parts, ...shape.slice(1)] });
      origin.set(name, { stored, part, parts });
    }
  }
  const cut = <T extends Float32Array | Int32Array>(name: string, read: (stored: string) => T): T => {
    const { stored, part, parts } = origin.get(name) ?? { stored: name, part: 0, parts: 1 };
    const values = read(stored), count = values.length / parts;
    return values.subarray(part * count, (part + 1) * count) as T;
  };
  return {
    file: source.file,
    tensors,
    read: (name) => cut(name, (stored) => source.read(stored)),
    readInt32: (name) => cut(name, (stored) => source.readInt32(stored)),
    close: () => source.close(),
  };
}

/** Loads weights with timm's names, a file or a folder; strict, as `loadState`. */
export function loadTimmViT(model: ViTForImageClassification, fileOrFolder: string): void {
  const source = openWeights(fileOrFolder);
  try { loadState(model, timmAsViT(source)); } finally { source.close(); }
}
