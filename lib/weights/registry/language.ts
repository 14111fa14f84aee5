import type { CheckpointEntry } from './checkpoint-entry';

/** Networks of text alone. */
export const languageCheckpoints: readonly CheckpointEntry[] = [
  {
    name: 'gpt2', repository: 'openai-community/gpt2', revision: 'main', bytes: 551e6,
    licence: 'MIT', architecture: 'GPT2LMHeadModel',
    preprocessing: 'byte-level BPE, 50,257 tokens', usedBy: ['000', '001'],
    files: [
      'config.json', 'generation_config.json', 'merges.txt', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'model.safetensors',
    ],
  },
  {
    name: 'bert-base-uncased', repository: 'google-bert/bert-base-uncased', revision: 'main', bytes: 441e6,
    licence: 'Apache-2.0', architecture: 'BertForMaskedLM',
    preprocessing: 'lower case, word pieces, 30,522 tokens', usedBy: ['000'],
    files: ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'model.safetensors'],
  },
];
