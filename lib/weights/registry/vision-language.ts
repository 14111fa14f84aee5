import type { CheckpointEntry } from './checkpoint-entry';

const revision = 'main';
const bpe = [
  'config.json', 'preprocessor_config.json', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json',
  'merges.txt',
] as const;
const wordPieces = [
  'config.json', 'preprocessor_config.json', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt',
] as const;

const clip = {
  revision, licence: 'MIT at its source, OpenAI\'s CLIP (the card names none)', architecture: 'CLIPModel',
  preprocessing: 'shorter side 224 bicubic, centre 224×224, CLIP\'s mean and std; lower-case BPE, 77 tokens a text', usedBy: ['004'],
} as const;
const blip = {
  revision, licence: 'BSD-3-Clause', architecture: 'BlipForConditionalGeneration',
  preprocessing: '384×384 bicubic, CLIP\'s mean and std; BERT\'s word pieces', usedBy: ['002'],
} as const;
const smolvlm = {
  revision, licence: 'Apache-2.0', architecture: 'Idefics3ForConditionalGeneration', usedBy: ['000'],
  files: [...bpe, 'added_tokens.json', 'chat_template.json', 'generation_config.json', 'processor_config.json', 'model.safetensors'],
} as const;
const tiles = (side: number) => `the picture and its tiles of ${side}×${side}, mean and std 0.5; byte-level BPE with a chat template`;

/** Networks of images and text. */
export const visionLanguageCheckpoints: readonly CheckpointEntry[] = [
  {
    ...clip, name: 'clip-vit-base-patch32', repository: 'openai/clip-vit-base-patch32', bytes: 609e6,
    files: [...bpe, 'pytorch_model.bin'],
  },
  {
    ...clip, name: 'clip-vit-base-patch16', repository: 'openai/clip-vit-base-patch16', bytes: 602e6,
    files: [...bpe, 'pytorch_model.bin'], usedBy: [],
  },
  {
    ...clip, name: 'clip-vit-large-patch14', repository: 'openai/clip-vit-large-patch14', bytes: 1.71e9,
    files: [...bpe, 'model.safetensors'],
  },
  {
    ...blip, name: 'blip-base', repository: 'Salesforce/blip-image-captioning-base', bytes: 991e6,
    files: [...wordPieces, 'pytorch_model.bin'],
  },
  {
    ...blip, name: 'blip-large', repository: 'Salesforce/blip-image-captioning-large', bytes: 1.88e9,
    files: [...wordPieces, 'model.safetensors'],
  },
  {
    name: 'vit-gpt2', repository: 'nlpconnect/vit-gpt2-image-captioning', revision, bytes: 985e6, files: [...bpe, 'pytorch_model.bin'],
    licence: 'Apache-2.0', architecture: 'VisionEncoderDecoderModel',
    preprocessing: '224×224 bilinear, mean and std 0.5; byte-level BPE', usedBy: [],
  },
  { name: 'smolvlm-256m', repository: 'HuggingFaceTB/SmolVLM-256M-Instruct', bytes: 518e6, preprocessing: tiles(512), ...smolvlm },
  { name: 'smolvlm-500m', repository: 'HuggingFaceTB/SmolVLM-500M-Instruct', bytes: 1.02e9, preprocessing: tiles(512), ...smolvlm },
  { name: 'smolvlm-2.2b', repository: 'HuggingFaceTB/SmolVLM-Instruct', bytes: 4.49e9, preprocessing: tiles(384), ...smolvlm },
];
