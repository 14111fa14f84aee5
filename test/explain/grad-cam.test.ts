import assert from 'node:assert/strict';
import * as path from 'node:path';
import { PretrainedCaptioner, type CaptioningNetwork } from '../../lib/captioners';
import { loadScenes } from '../../lib/datasets';
import { tensorCount, tf } from '../../lib/engine';
import { gradCam } from '../../lib/explain';
import { ImageProcessor, type RgbImage } from '../../lib/images';
import { BlipForConditionalGeneration, type BlipOptions } from '../../lib/models';
import { Tokenizer } from '../../lib/tokenizers';
import { fillByFormula, uniform } from '../formula';
import { relativeTo } from '../relative-to';
import fixture from '../fixtures/explain/grad-cam.json';

interface Case { image: number; options: Record<string, number>; tokens: number[]; plain: number[][][]; positive: number[][][] }
const { cases, config } = fixture as { cases: Case[]; config: object };
const camelCase = <T>(value: T): T => (typeof value !== 'object' ? value : Object.fromEntries(
  Object.entries(value as object).map(([key, entry]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), camelCase(entry)])) as T);

const size = { height: 32, width: 32 };
const values = uniform('pictures', 2 * 32 * 32 * 3);
const pictures: RgbImage[] = [0, 1].map((i) => ({ ...size, data: Uint8Array.from(values.subarray(i * 3072, (i + 1) * 3072), (v) => v * 256) }));

describe('gradCam', () => {
  let captioner: PretrainedCaptioner;
  before(() => {
    const model = new BlipForConditionalGeneration(camelCase(config) as BlipOptions);
    fillByFormula(model);
    const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '../fixtures/tokenizers/word-piece'));
    const processor = new ImageProcessor({ size, imageMean: [0.5, 0.5, 0.5], imageStd: [0.5, 0.5, 0.5] });
    captioner = new PretrainedCaptioner<CaptioningNetwork>({ folder: '', config: {}, model, processor, tokenizer } as never);
  });
  after(() => captioner.dispose());

  for (const { image, options, tokens, plain, positive } of cases) {
    it(`gives PyTorch's maps for every word, by layer, cut off or not: picture ${image}, ${JSON.stringify(options)}`, async () => {
      const before = tensorCount(), generation = camelCase(options);
      for (const [layer, relu] of [[0, true], [1, false], [1, true], [2, false]] as const) {
        const [{ caption, tokenMaps, grid }] = await gradCam(captioner, [pictures[image]], { layer, relu, generation });
        assert.deepEqual(caption.tokens, tokens);
        assert.deepEqual(grid, [4, 4]);
        for (const [i, map] of (relu ? positive : plain)[layer].entries()) {
          relativeTo(tokenMaps[i], map, 1e-3, `layer ${layer}, word ${i}, relu ${relu}`);
        }
      }
      assert.equal(tensorCount(), before);
    });
  }

  it('takes the first of the upper half of the layers and cuts off below 0, unless told otherwise', async () => {
    const [plain, told] = [await gradCam(captioner, pictures), await gradCam(captioner, pictures, { layer: 1, relu: true })];
    assert.equal(plain.length, 2);
    assert.deepEqual(plain, told);
    const captions = plain.map(({ caption }) => caption);
    assert.deepEqual(await gradCam(captioner, pictures, { captions }), plain, 'of captions made before');
    await assert.rejects(gradCam(captioner, [pictures[0]], { captions }), /2 captions for 1 pictures/);
  });

  it('says what it needs', async () => {
    for (const layer of [3, -1, 0.5]) await assert.rejects(gradCam(captioner, pictures, { layer }), /expected 0 to 2/);
    const other = { model: { constructor: class VisionEncoderDecoderModel {} } } as never;
    await assert.rejects(gradCam(other, pictures), /this is a VisionEncoderDecoderModel: load a BLIP, such as blip-scenes/);
  });

  it('explains whole words of the small BLIP\'s caption of a drawn picture', async () => {
    const blip = PretrainedCaptioner.load('blip-scenes'), { image } = loadScenes().split('test').records[0];
    const before = tf.memory().numTensors;
    const [{ words, maps, grid, caption }] = await gradCam(blip, [image]);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(words.join(' '), caption.text.replace(/[^a-z -]/g, '').trim());
    for (const map of maps) assert.deepEqual([map.length, map.every((value) => value >= 0)], [grid[0] * grid[1], true]);
    blip.dispose();
  });
});
