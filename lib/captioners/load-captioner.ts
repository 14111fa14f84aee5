import { excerpt } from '../excerpt';
import { readJsonObject, type ConfigJson } from '../models';
import { resolveCheckpoint } from '../weights';
import type { Captioner } from './captioner';
import { FeatureCaptioner } from './feature-captioner';
import { PretrainedCaptioner } from './pretrained-captioner';
import { PromptedCaptioner, savedPrompt } from './prompted-captioner';
import { SmolVLMCaptioner } from './smolvlm-captioner';

/** Who reads a captioner's folder, by the model_type of its config.json. */
const readers: readonly { modelTypes: readonly string[]; load: (folder: string, config: ConfigJson) => Captioner }[] = [
  { modelTypes: FeatureCaptioner.modelTypes, load: (folder) => FeatureCaptioner.load(folder) },
  {
    modelTypes: ['vision-encoder-decoder'],
    load: (folder, config) => (savedPrompt(config) === undefined ? PretrainedCaptioner : PromptedCaptioner).load(folder),
  },
  { modelTypes: ['blip'], load: (folder) => PretrainedCaptioner.load(folder) },
  { modelTypes: ['smolvlm', 'idefics3'], load: (folder) => SmolVLMCaptioner.load(folder) },
];

/**
 * Loads a captioner, whichever it is: one that was trained and saved here, or a published checkpoint of a captioning network.
 *
 * @param nameOrFolder a folder, or a name that `load` understands
 * @throws Error when the folder holds none, or one of a kind that is not known
 */
export function loadCaptioner(nameOrFolder: string): Captioner {
  const folder = resolveCheckpoint(nameOrFolder);
  const config = readJsonObject(folder, 'config.json'), type = config?.model_type;
  const reader = readers.find(({ modelTypes }) => modelTypes.some((known) => known === type));
  if (config && reader) return reader.load(folder, config);
  const known = readers.flatMap(({ modelTypes }) => modelTypes).join(', ');
  const shown = excerpt(typeof type === 'string' ? type : JSON.stringify(type) ?? '');
  const found = type === undefined ? 'has no config.json with a model_type' : `holds a model of type ${shown}`;
  throw new Error(`${folder} ${found}; captioners are of the types ${known}.`);
}
