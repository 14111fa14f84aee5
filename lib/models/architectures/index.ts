/** Every architecture that `load` knows, most particular first: of two that fit, the first one counts. */
import type { Architecture } from '../architecture';
import { bertArchitectures } from './bert';
import { blipArchitectures } from './blip';
import { clipArchitectures } from './clip';
import { convolutionalArchitectures } from './convolutional';
import { deit3Architectures } from './deit3';
import { gpt2Architectures } from './gpt2';
import { llamaArchitectures } from './llama';
import { smolVLMArchitectures } from './smolvlm';
import { visionEncoderDecoderArchitectures } from './vision-encoder-decoder';
import { vitArchitectures } from './vit';

export const architectures: readonly Architecture[] = [
  ...vitArchitectures, ...deit3Architectures, ...gpt2Architectures, ...bertArchitectures, ...llamaArchitectures,
  ...visionEncoderDecoderArchitectures, ...convolutionalArchitectures, ...smolVLMArchitectures, ...clipArchitectures,
  ...blipArchitectures,
];
