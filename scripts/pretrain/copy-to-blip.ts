// What BLIP starts from: the trained ViT and BERT.
import type { BertForMaskedLM, BlipTextLMHeadModel, BlipVisionModel, ViTForImageClassification } from '../../lib/models';
import { copyLayers, EMBEDDINGS, ParameterCopier } from './copy-tower';

/** ViT → BLIP's image tower: the same network, query, key and value in one. */
export function towerToBlip(source: ViTForImageClassification, target: BlipVisionModel): void {
  const copier = new ParameterCopier(source, target);
  copier.copy('embeddings.class_embedding', `${EMBEDDINGS}.cls_token`);
  copier.copy('embeddings.position_embedding', `${EMBEDDINGS}.position_embeddings`);
  for (const end of ['weight', 'bias']) {
    copier.copy(`embeddings.patch_embedding.${end}`, `${EMBEDDINGS}.patch_embeddings.projection.${end}`);
    copier.copy(`post_layernorm.${end}`, `vit.layernorm.${end}`);
  }
  copyLayers(copier, target.config.numHiddenLayers, 'encoder.layers', true);
}

/** BERT → BLIP's decoder: its first layers and its head; words that BERT has not, and cross attention, stay new. */
export function bertToBlip(source: BertForMaskedLM, target: BlipTextLMHeadModel): void {
  const from = new Map(source.namedParameters());
  for (const [name, parameter] of target.namedParameters()) {
    const known = from.get(name);
    if (!known || known.size > parameter.size) continue;
    const values = parameter.save().slice();
    values.set(known.save());
    parameter.load(values);
  }
}
