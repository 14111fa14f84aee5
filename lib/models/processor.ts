/** What prepares a checkpoint's pictures: which class it is stands in the folder's own files. */
import { findImageProcessorJson, ImageProcessor } from '../images';
import type { Tokenizer } from '../tokenizers';
import type { ConfigJson } from './config-json';
import { SmolVLMProcessor, type SmolVLMForConditionalGeneration } from './smolvlm';

/** What `load` gives along with a network. */
export type ProcessorOf<M> = M extends SmolVLMForConditionalGeneration ? SmolVLMProcessor : ImageProcessor;

/** null where the folder says nothing about pictures, or has no tokenizer for a processor that needs one. */
export function readProcessor(
  folder: string, config: ConfigJson | null, tokenizer: Tokenizer | null,
): ImageProcessor | SmolVLMProcessor | null {
  const found = findImageProcessorJson(folder);
  if (!found && !(config && 'pretrained_cfg' in config)) return null;
  if (!/^(SmolVLM|Idefics3)ImageProcessor/.test(String(found?.json.image_processor_type))) return ImageProcessor.fromPretrained(folder);
  return tokenizer && SmolVLMProcessor.fromPretrained(folder, {}, tokenizer);
}
