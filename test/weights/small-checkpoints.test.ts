// The committed small checkpoints: each loads as its class, and does what it was trained for on scenes that nothing here was trained on.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tensorCount, tf, type Tensor } from '../../lib/engine';
import { type ImageProcessor } from '../../lib/images';
import {
  BertForMaskedLM,
  BlipForConditionalGeneration,
  CLIPModel,
  DeiT3,
  GPT2LMHeadModel,
  InceptionResNetV2,
  load,
  MobileNetV2,
  ResNet,
  SmolVLMForConditionalGeneration,
  ViTForImageClassification,
} from '../../lib/models';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import type { Tokenizer } from '../../lib/tokenizers';
import { annotate, generateScene, KINDS, narrate, renderBatch, type Scene, type SceneOptions } from '../../scripts/scenes';
import { PICTURE_LABELS, pictureLabels } from '../../scripts/pretrain/scene-labels';

const CLASSES: Record<string, new (...args: never[]) => Module> = {
  'mobilenet_v2-scenes': MobileNetV2,
  'resnet101-scenes': ResNet,
  'resnet50-scenes': ResNet,
  'inception_resnet_v2-scenes': InceptionResNetV2,
  'vit-scenes': ViTForImageClassification,
  'deit3-scenes': DeiT3,
  'gpt2-scenes': GPT2LMHeadModel,
  'bert-scenes': BertForMaskedLM,
  'clip-scenes': CLIPModel,
  'smolvlm-scenes': SmolVLMForConditionalGeneration,
  'blip-scenes': BlipForConditionalGeneration,
};
const folders = fs.readdirSync(inProject('weights')).filter((name) => name.endsWith('-scenes'));

/** Pictures of a set that no checkpoint has seen; of one thing each, unless told otherwise. */
async function heldOut(
  count: number,
  options: SceneOptions = { compositions: { single: 1 } },
): Promise<{ scenes: Scene[]; pictures: Uint8Array[] }> {
  const scenes = Array.from({ length: count }, (_, i) => generateScene(`pretrain/test/${i}`, options));
  return { scenes, pictures: await renderBatch(scenes.map(({ svg }) => svg)) };
}

async function pixelsOf(processor: ImageProcessor, pictures: readonly Uint8Array[]): Promise<Tensor> {
  const { data, shape } = await processor.batch(pictures.map((bytes) => ({ data: bytes, width: 128, height: 128 })));
  return tf.tensor4d(data, shape);
}

describe('small checkpoints', () => {
  it('together take 40 MB at most', () => {
    const sizes = folders.flatMap((name) =>
      fs.readdirSync(inProject('weights', name)).map((file) => fs.statSync(inProject('weights', name, file)).size),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
    assert.ok(total <= 40, `${total.toFixed(1)} MB`);
  });

  for (const name of folders) {
    it(`${name} loads as its class and has all that its use needs`, () => {
      const before = tensorCount();
      const { model, config, processor, tokenizer } = load(inProject('weights', name));
      if (CLASSES[name]) assert.ok(model instanceof CLASSES[name], model?.constructor.name);
      assert.ok(model && config);
      assert.ok(processor || tokenizer, 'neither pictures nor text');
      assert.ok(fs.existsSync(path.join(inProject('weights', name), 'model.safetensors')));
      for (const [parameter, { tensor }] of model.namedParameters()) assert.ok(tensor.dataSync().every(Number.isFinite), parameter);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  describe('classifiers', () => {
    const classifiers = {
      'vit-scenes': 0.5,
      'deit3-scenes': 0.5,
      'mobilenet_v2-scenes': 0.5,
      'resnet101-scenes': 0.5,
      'resnet50-scenes': 0.5,
      'inception_resnet_v2-scenes': 0.5,
    } as Record<string, number>;
    for (const [name, bar] of Object.entries(classifiers).filter(([name]) => folders.includes(name))) {
      it(`${name} names the kind of thing, of 24, in ${100 * bar} % of new pictures or more, and most else that it is asked`, async () => {
        const { scenes, pictures } = await heldOut(48);
        const { model, processor } = load(inProject('weights', name));
        const pixelValues = await pixelsOf(processor!, pictures);
        const logits = (model as ViTForImageClassification).forward({ pixelValues }).logits.arraySync() as number[][];
        const best = (row: number[]) => row.indexOf(Math.max(...row));
        const right = logits.filter((row, i) => KINDS[best(row.slice(0, KINDS.length))] === scenes[i].entities[0].kind).length;
        assert.ok(right / scenes.length >= bar, `${right} of ${scenes.length}`);
        let hit = 0,
          said = 0,
          truth = 0;
        for (const [i, row] of logits.entries()) {
          const labels = pictureLabels(scenes[i]);
          for (let j = 0; j < PICTURE_LABELS.length; j++) {
            said += Number(row[j] > 0);
            truth += labels[j];
            hit += Number(row[j] > 0) * labels[j];
          }
        }
        const f1 = (2 * hit) / (said + truth);
        assert.ok(f1 > 0.5, `F1 ${f1.toFixed(2)}`);
        model!.dispose();
      });
    }
  });

  if (folders.includes('gpt2-scenes')) {
    it('gpt2-scenes finds new sentences far likelier than their words in another order', () => {
      const { model, tokenizer } = load(inProject('weights', 'gpt2-scenes'), { as: GPT2LMHeadModel });
      const perplexity = (words: string): number => {
        const ids = [tokenizer!.eosTokenId!, ...tokenizer!.encode(words).inputIds, tokenizer!.eosTokenId!];
        return Math.exp(
          tf.tidy(() => {
            const inputIds = tf.tensor2d([ids], undefined, 'int32');
            return model.forward({ inputIds, labels: inputIds }).loss!.dataSync()[0];
          }),
        );
      };
      for (let i = 0; i < 5; i++) {
        const text = narrate(generateScene(`pretrain/test/${i}`));
        const backwards = text.split(' ').reverse().join(' ');
        assert.ok(perplexity(text) < 10, `${text} ${perplexity(text)}`);
        assert.ok(perplexity(backwards) > 20 * perplexity(text));
      }
      model.dispose();
    });
  }

  if (folders.includes('bert-scenes')) {
    it('bert-scenes fills a masked colour with the colour that the other caption names, and other words with words of their sort', () => {
      const { model, tokenizer } = load(inProject('weights', 'bert-scenes'), { as: BertForMaskedLM });
      const guess = (first: string, second?: string): string => mostLikely(model, tokenizer!, first, second);
      for (const colour of ['red', 'green', 'purple', 'white']) {
        assert.equal(guess(`A ${colour} cat on the beach.`, 'A large [MASK] cat is sitting on the sand.'), colour);
      }
      assert.match(guess('There are [MASK] yellow boats on the sea.'), /^(two|three|four)$/);
      assert.match(guess('A red car to the [MASK] of a blue house.'), /^(left|right)$/);
      model.dispose();
    });
  }

  if (folders.includes('clip-scenes')) {
    it('clip-scenes finds the right one of two captions nearly always, and of 24 more often than not', async () => {
      const { scenes, pictures } = await heldOut(24, {});
      const { model, processor, tokenizer } = load(inProject('weights', 'clip-scenes'), { as: CLIPModel });
      const pixelValues = await pixelsOf(processor!, pictures);
      const { inputIds, attentionMask } = tokenizer!.encodeBatch(
        scenes.map((scene) => annotate(scene, 'wordy')),
        { padding: 'longest' },
      );
      const ids = tf.tensor2d(inputIds, undefined, 'int32'),
        mask = tf.tensor2d(attentionMask, undefined, 'int32');
      const outputs = model.forward({ pixelValues, inputIds: ids, attentionMask: mask });
      const scores = outputs.logitsPerImage.arraySync() as number[][];
      const count = (right: (row: number[], i: number) => boolean): number => scores.filter(right).length / scores.length;
      const ofTwo = count((row, i) => row[i] > row[(i + 1) % row.length]),
        ofAll = count((row, i) => row[i] === Math.max(...row));
      assert.ok(ofTwo >= 0.9, `of two ${ofTwo}`);
      assert.ok(ofAll >= 0.5, `of all ${ofAll}`);
      tf.dispose([pixelValues, ids, mask, ...Object.values(outputs).filter((value): value is Tensor => value instanceof tf.Tensor)]);
      model.dispose();
    });
  }

  /** Captions of pictures (128×128 RGB), by the checkpoint's own preparation. */
  const captioners: Record<string, (folder: string, pictures: readonly Uint8Array[]) => Promise<string[]>> = {
    async 'smolvlm-scenes'(folder, pictures) {
      const { model, processor } = load(folder, { as: SmolVLMForConditionalGeneration });
      const prompt = processor!.applyChatTemplate(
        [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'Describe this image.' }] }],
        { addGenerationPrompt: true },
      );
      const inputs = await processor!.process({
        text: pictures.map(() => prompt),
        images: pictures.map((data) => [{ data, width: 128, height: 128 }]),
      });
      const { sequences } = model.generate(inputs as Required<typeof inputs>);
      const said = sequences.map((ids) => processor!.tokenizer.decode(ids.slice(inputs.inputIds.shape[1]), { skipSpecialTokens: true }));
      tf.dispose(inputs as never);
      model.dispose();
      return said;
    },
    async 'blip-scenes'(folder, pictures) {
      const { model, processor, tokenizer } = load(folder, { as: BlipForConditionalGeneration });
      const pixelValues = await pixelsOf(processor!, pictures);
      const said = model
        .generate({ pixelValues }, { maxNewTokens: 80 })
        .sequences.map((ids) => tokenizer!.decode(ids, { skipSpecialTokens: true }));
      pixelValues.dispose();
      model.dispose();
      return said;
    },
  };
  for (const [name, caption] of Object.entries(captioners).filter(([name]) => folders.includes(name))) {
    it(`${name} says in the narrator's voice what new pictures show: colours are right, kinds far more often than by chance`, async () => {
      const { scenes, pictures } = await heldOut(32);
      const captions = (await caption(inProject('weights', name), pictures)).map((text) => text.toLowerCase());
      const share = (holds: (text: string, scene: Scene) => boolean): number =>
        captions.filter((text, i) => holds(text, scenes[i])).length / captions.length;
      assert.ok(share((text, { entities: [{ kind }] }) => text.includes(kind)) >= 0.2, captions.join('\n'));
      assert.ok(share((text, { entities: [{ colour }] }) => text.includes(` ${colour} `)) >= 0.75, captions.join('\n'));
      assert.ok(share((text) => /the (setting is|background shows)/.test(text)) >= 0.9, captions.join('\n'));
    });
  }
});

/** The word that the model puts in the place of [MASK]. */
function mostLikely(model: BertForMaskedLM, tokenizer: Tokenizer, first: string, second?: string): string {
  const { inputIds, tokenTypeIds } = tokenizer.encode(second === undefined ? first : [first, second]);
  const at = inputIds.indexOf(tokenizer.maskTokenId!);
  return tf.tidy(() => {
    const tensor = (ids: number[]) => tf.tensor2d([ids], undefined, 'int32');
    const { logits } = model.forward({ inputIds: tensor(inputIds), tokenTypeIds: tensor(tokenTypeIds!) });
    const row = (logits.arraySync() as number[][][])[0][at];
    return tokenizer.decode([row.indexOf(Math.max(...row))]);
  });
}
