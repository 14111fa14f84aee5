// How each small network that captions is built, fed and saved.
import * as path from 'node:path';
import { tf, type Random, type Tensor, type Tensor4D } from '../../lib/engine';
import type { ImageProcessor } from '../../lib/images';
import {
  BertForMaskedLM,
  BlipForConditionalGeneration,
  load,
  save,
  SmolVLMForConditionalGeneration,
  ViTForImageClassification,
} from '../../lib/models';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { writeWhole } from '../../lib/whole-file';
import { bertToBlip, towerToBlip } from './copy-to-blip';
import { towerToSigLip } from './copy-tower';
import { IGNORED } from './scene-labels';
import { writeBlipTokenizer, writeSmolTokenizer } from './tokenizers';
import { SHORT_TOWER } from './vision-recipes';

export interface CaptionNetwork {
  readonly model: Module;
  /** Tensors of a batch: the pixels, normalised (B, size, size, 3), and a text for each picture. */
  inputs(pixelValues: Tensor4D, texts: readonly string[]): Record<string, Tensor>;
  loss(inputs: Record<string, Tensor>): Tensor;
  caption(pixelValues: Tensor4D): string[];
  save(folder: string, processor: ImageProcessor): void;
}

export interface CaptionRecipe {
  steps: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  /** Writes the tokenizer into the folder, too. */
  build(folder: string, random: Random): CaptionNetwork;
}

const LONGEST = 90;
/** What SmolVLM is asked; each conversation has one of them. */
const PROMPTS = [
  'Describe this image.',
  'Can you describe this image?',
  'Write a caption for this image.',
  'Caption the image.',
  'What is in this picture?',
  'Generate a caption for this image.',
];
const half = { half: () => true };

/** Rows of different lengths as (rows, longest) int32, filled up. */
function filled(rows: readonly (readonly number[])[], filler: number): Tensor {
  const length = Math.max(...rows.map((row) => row.length));
  return tf.tensor2d(
    rows.map((row) => [...row, ...Array<number>(length - row.length).fill(filler)]),
    undefined,
    'int32',
  );
}

export const CAPTION_RECIPES: Record<string, CaptionRecipe> = {
  // As BLIP itself was: pictures by a trained Vision Transformer, words from BERT's weights, cross attention new.
  blip: {
    steps: 1440,
    batchSize: 32,
    learningRate: 8e-4,
    weightDecay: 0.05,
    build(folder, random) {
      const tokenizer = writeBlipTokenizer(folder);
      const start = tokenizer.bosTokenId!;
      const end = tokenizer.sepTokenId!;
      const text = {
        vocabSize: tokenizer.vocabularySize,
        hiddenSize: 192,
        intermediateSize: 512,
        numHiddenLayers: 2,
        numAttentionHeads: 3,
        maxPositionEmbeddings: 128,
        bosTokenId: start,
        padTokenId: tokenizer.padTokenId!,
        sepTokenId: end,
      };
      const model = new BlipForConditionalGeneration({ visionConfig: SHORT_TOWER, textConfig: text }, random);
      const { model: tower } = load(inProject('weights', 'vit-scenes'), { as: ViTForImageClassification });
      towerToBlip(tower, model.vision_model);
      const { model: bert } = load(inProject('weights', 'bert-scenes'), { as: BertForMaskedLM });
      bertToBlip(bert, model.text_decoder);
      for (const source of [tower, bert]) source.dispose();
      return {
        model,
        inputs(pixelValues, texts) {
          const rows = texts.map((words) => [start, ...tokenizer.encode(words, { addSpecialTokens: false }).inputIds, end]);
          return { pixelValues, inputIds: filled(rows, tokenizer.padTokenId!), labels: filled(rows, IGNORED) };
        },
        loss: ({ pixelValues, inputIds, labels }) => model.forward({ pixelValues, inputIds, labels }).loss!,
        caption: (pixelValues) =>
          model
            .generate({ pixelValues }, { maxNewTokens: LONGEST })
            .sequences.map((ids) => tokenizer.decode(ids, { skipSpecialTokens: true })),
        save: (to, processor) => {
          save(to, { model, processor }, half);
          processor.save(to, 'BlipImageProcessor');
        },
      };
    },
  },

  smolvlm: {
    steps: 1260,
    batchSize: 32,
    learningRate: 1e-3,
    weightDecay: 0.05,
    build(folder, random) {
      const tokenizer = writeSmolTokenizer(folder, PROMPTS);
      const idOf = (token: string): number => tokenizer.encode(token, { addSpecialTokens: false }).inputIds[0];
      const text = {
        vocabSize: tokenizer.vocabularySize,
        hiddenSize: 192,
        intermediateSize: 512,
        numHiddenLayers: 3,
        numAttentionHeads: 3,
        numKeyValueHeads: 1,
        headDim: 64,
        maxPositionEmbeddings: 512,
        rmsNormEps: 1e-5,
        padTokenId: tokenizer.padTokenId!,
      };
      const model = new SmolVLMForConditionalGeneration(
        { visionConfig: SHORT_TOWER, textConfig: text, scaleFactor: 2, imageTokenId: idOf('<image>'), tieWordEmbeddings: true },
        random,
      );
      const { model: tower } = load(inProject('weights', 'vit-scenes'), { as: ViTForImageClassification });
      towerToSigLip(tower, model.model.vision_model);
      tower.dispose();
      model.generationConfig = { eosTokenId: idOf('<end_of_utterance>'), padTokenId: tokenizer.padTokenId!, maxNewTokens: LONGEST };
      const vectors = (SHORT_TOWER.imageSize / SHORT_TOWER.patchSize / 2) ** 2;
      const picture = `<fake_token_around_image><global-img>${'<image>'.repeat(vectors)}<fake_token_around_image>`;
      /** A conversation's ids up to the answer; every text of a batch has its own question. */
      const question = (prompt: string): number[] =>
        tokenizer.encode(`<|im_start|>User:${picture}${prompt}<end_of_utterance>\nAssistant:`, { addSpecialTokens: false }).inputIds;
      const questions = PROMPTS.map(question),
        end = idOf('<end_of_utterance>');
      const asPictures = (pixelValues: Tensor4D): Tensor =>
        tf.reshape(pixelValues, [pixelValues.shape[0], 1, ...pixelValues.shape.slice(1)]);
      return {
        model,
        inputs(pixelValues, texts) {
          const rows = texts.map((words) => {
            const asked = questions[random.integer(questions.length)],
              answer = [...tokenizer.encode(` ${words}`, { addSpecialTokens: false }).inputIds, end];
            return { ids: [...asked, ...answer], labels: [...asked.map(() => IGNORED), ...answer] };
          });
          const inputIds = filled(
              rows.map(({ ids }) => ids),
              tokenizer.padTokenId!,
            ),
            labels = filled(
              rows.map(({ labels: row }) => row),
              IGNORED,
            );
          const pixels = asPictures(pixelValues);
          pixelValues.dispose();
          return { pixelValues: pixels, inputIds, labels };
        },
        loss: ({ pixelValues, inputIds, labels }) => model.forward({ pixelValues, inputIds, labels }).loss!,
        caption: (pixelValues) =>
          tf.tidy(() => {
            const inputIds = tf.tensor2d(Array<number[]>(pixelValues.shape[0]).fill(questions[0]), undefined, 'int32');
            const { sequences } = model.generate({ inputIds, pixelValues: asPictures(pixelValues) });
            return sequences.map((ids) => tokenizer.decode(ids.slice(questions[0].length), { skipSpecialTokens: true }).trim()) as never;
          }),
        save(to, processor) {
          const ids = { bos_token_id: tokenizer.bosTokenId, eos_token_id: end, pad_token_id: tokenizer.padTokenId };
          save(to, { model, config: { ...ids, text_config: ids } }, half);
          const { imageMean, imageStd } = processor.config,
            side = SHORT_TOWER.imageSize;
          const write = (name: string, value: unknown) => writeWhole(path.join(to, name), `${JSON.stringify(value, null, 2)}\n`);
          // A picture is one tile: not divided, as small as it is.
          write('preprocessor_config.json', {
            do_convert_rgb: true,
            do_image_splitting: false,
            do_normalize: true,
            do_pad: true,
            do_rescale: true,
            do_resize: true,
            image_mean: imageMean,
            image_std: imageStd,
            image_processor_type: 'SmolVLMImageProcessor',
            max_image_size: { longest_edge: side },
            processor_class: 'SmolVLMProcessor',
            resample: 1,
            rescale_factor: 1 / 255,
            size: { longest_edge: side },
          });
          write('processor_config.json', { image_seq_len: vectors, processor_class: 'SmolVLMProcessor' });
        },
      };
    },
  },
};
