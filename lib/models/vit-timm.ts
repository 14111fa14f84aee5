/**
 * ViT checkpoints with timm's names (timm/models/vision_transformer.py: vit_small_patch16_224 and its kin). Everything has one name there and
 * one here, except that timm keeps query, key and value in one tensor `qkv`, stacked in this order.
 */
import { SafetensorsFile, WeightsError, type TensorToWrite } from '../weights';
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

/** A timm state under Hugging Face's names, `qkv` cut in three along its first axis. */
export function timmToViTState(state: ReadonlyMap<string, TensorToWrite>): Map<string, TensorToWrite> {
  const result = new Map<string, TensorToWrite>();
  for (const [name, { shape, data }] of state) {
    const names = timmToViTNames(name), count = data.length / names.length;
    if (shape[0] % names.length !== 0) throw new WeightsError(`Tensor "${name}" of shape [${shape}] does not divide into query, key and value.`);
    for (const [i, one] of names.entries()) {
      result.set(one, { shape: names.length === 1 ? shape : [shape[0] / names.length, ...shape.slice(1)], data: data.subarray(i * count, (i + 1) * count) });
    }
  }
  return result;
}

/** Loads a safetensors file with timm's names. Strict: nothing missing, left over or of another shape, or nothing is loaded. */
export function loadTimmViT(model: ViTForImageClassification, file: string): void {
  const source = SafetensorsFile.open(file);
  try {
    const state = timmToViTState(new Map([...source.tensors].map(([name, { shape }]) => [name, { shape, data: source.read(name) }])));
    const wanted = new Map(model.namedParameters());
    const problems = [
      ...[...wanted.keys()].filter((name) => !state.has(name)).map((name) => `missing ${name}`),
      ...[...state.keys()].filter((name) => !wanted.has(name)).map((name) => `unexpected ${name}`),
      ...[...wanted].filter(([name, p]) => state.has(name) && String(state.get(name)!.shape) !== String(p.checkpointShape))
        .map(([name, p]) => `${name} is [${state.get(name)!.shape}] instead of [${p.checkpointShape}]`),
    ];
    if (problems.length) throw new WeightsError(`${file} does not fit this ViT: ${problems.slice(0, 8).join('; ')}${problems.length > 8 ? ` and ${problems.length - 8} more` : ''}.`);
    for (const [name, parameter] of wanted) parameter.load(state.get(name)!.data as Float32Array);
  } finally {
    source.close();
  }
}
