import { readJsonObject } from '../models';
import { AttentionGruDecoder } from './attention-gru-decoder';
import { AttentionLstmDecoder } from './attention-lstm-decoder';
import type { Captioner } from './captioner';
import { LstmDecoder } from './lstm-decoder';
import { RecurrentCaptioner } from './recurrent-captioner';

/** Who reads a captioner's folder, by the model_type of its config.json. */
const readers: readonly { modelTypes: readonly string[]; load: (folder: string) => Captioner }[] = [
  {
    modelTypes: [AttentionGruDecoder, AttentionLstmDecoder, LstmDecoder].map((decoder) => decoder.modelType),
    load: (folder) => RecurrentCaptioner.load(folder),
  },
];

/**
 * Loads a captioner that one of them saved, whichever it is.
 *
 * @throws Error when the folder holds none, or one of a kind that is not known
 */
export function loadCaptioner(folder: string): Captioner {
  const type = readJsonObject(folder, 'config.json')?.model_type;
  const reader = readers.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (reader) return reader.load(folder);
  const known = readers.flatMap(({ modelTypes }) => modelTypes).join(', ');
  const found = type === undefined ? 'has no config.json with a model_type' : `holds a model of type ${JSON.stringify(type)}`;
  throw new Error(`${folder} ${found}; captioners are of the types ${known}.`);
}
