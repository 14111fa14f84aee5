import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centerCrop, ImageProcessor, resizeImage, shorterSideSize } from '../../lib/images';
import { cases, fixture, FIXTURES, ProcessorCase, sha256 } from './fixtures';

describe('shorter side and centre crop equal torchvision', () => {
  it(`in ${cases.torchvision.length} cases, odd margins and frames included`, async () => {
    for (const { source, edge, crop, filter, cropOnly, sha256: expected } of cases.torchvision) {
      const image = await fixture(source);
      const what = `${source} ${cropOnly ?? `${edge} ${crop} ${filter}`}`;
      if (cropOnly) {
        assert.equal(sha256(centerCrop(image, cropOnly[1], cropOnly[0], 'halfToEven')), expected, what);
        continue;
      }
      const size = shorterSideSize(image.width, image.height, edge);
      const resized = resizeImage(image, size.width, size.height, filter);
      assert.equal(sha256(centerCrop(resized, crop, crop, 'halfToEven')), expected, what);
      const processor = new ImageProcessor({
        size: { shortestEdge: edge },
        resample: filter,
        cropSize: { height: crop, width: crop },
        cropRounding: 'halfToEven',
      });
      assert.equal(sha256(processor.fit(image)), expected, `${what}, in one go`);
    }
  });
});

describe('ImageProcessor.fromPretrained equals', () => {
  const check = async ({ processor: name, source, shape, at, values, sums }: ProcessorCase) => {
    const processor = ImageProcessor.fromPretrained(join(FIXTURES, 'processors', name));
    const batch = await processor.batch([join(FIXTURES, source)]);
    assert.deepEqual(batch.shape, [1, ...shape], `${name} ${source}`);
    at.forEach((index, i) => assert.ok(Math.abs(batch.data[index] - values[i]) < 1e-6, `${name} ${source} [${index}]: ${batch.data[index]} ${values[i]}`));
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let i = channel; i < batch.data.length; i += 3) sum += batch.data[i];
      assert.ok(Math.abs(sum - sums[channel]) < 1e-3, `${name} ${source} channel ${channel}: ${sum} ${sums[channel]}`);
    }
  };
  it("transformers' processors on Pillow", () => Promise.all(cases.transformers.map(check)).then(() => undefined));
  it("timm's evaluation transforms", () => Promise.all(cases.timm.map(check)).then(() => undefined));
});

describe('ImageProcessor reads preprocessor_config.json', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'processor-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const read = (file: unknown) => {
    writeFileSync(join(folder, 'preprocessor_config.json'), typeof file === 'string' ? file : JSON.stringify(file));
    return ImageProcessor.fromPretrained(folder).config;
  };

  it('of the older spelling: one number for size, class named as feature extractor', () => {
    const vit = read({ feature_extractor_type: 'ViTFeatureExtractor', size: 224, do_resize: true, do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], resample: 2 });
    assert.deepEqual([vit.size, vit.doCenterCrop, vit.resample], [{ height: 224, width: 224 }, false, 'bilinear']);
    const clip = read({ feature_extractor_type: 'CLIPFeatureExtractor', size: 224, crop_size: 224 });
    assert.deepEqual([clip.size, clip.cropSize, clip.resample], [{ shortestEdge: 224 }, { height: 224, width: 224 }, 'bicubic']);
    assert.equal(clip.imageMean[0], 0.48145466);
  });

  it('and says file and key when something is missing, wrong or not done here', () => {
    assert.throws(() => read({ size: { height: 2, width: 2 } }), /preprocessor_config\.json: 'resample' is missing/);
    assert.throws(() => read({ image_processor_type: 'ViTImageProcessor', image_std: [1, 0, 1] }), /'image_std'/);
    assert.throws(() => read({ image_processor_type: 'ViTImageProcessor', do_pad: true }), /'do_pad' is set/);
    assert.throws(() => read({ image_processor_type: 'ViTImageProcessor', size: { longest_edge: 8 } }), /'size'/);
    assert.throws(() => read({ image_processor_type: 'ViTImageProcessor', resample: 6 }), /'resample'/);
    assert.throws(() => read('{"size": '), /preprocessor_config\.json: this is not JSON/);
    assert.throws(() => read('[]'), /expected a JSON object/);
    assert.throws(() => ImageProcessor.fromPretrained(join(folder, 'nowhere')), /nowhere.*there is no such file/);
  });

  it('and writes it back the same', () => {
    for (const name of ['vit', 'clip', 'mobilenet_v2', 'timm-crop']) {
      const processor = ImageProcessor.fromPretrained(join(FIXTURES, 'processors', name), { cropRounding: 'floor' });
      processor.save(folder, 'CLIPImageProcessor');
      assert.deepEqual(ImageProcessor.fromPretrained(folder).config, processor.config);
    }
    const saved = JSON.parse(readFileSync(join(folder, 'preprocessor_config.json'), 'utf8'));
    assert.deepEqual(saved.size, { shortest_edge: 35 });
  });
});

describe('ImageProcessor', () => {
  it('knows its output size when pictures do not decide it', () => {
    assert.deepEqual(new ImageProcessor().outputSize, { height: 224, width: 224 });
    assert.equal(new ImageProcessor({ size: { shortestEdge: 8 } }).outputSize, undefined);
    assert.deepEqual(new ImageProcessor({ size: { shortestEdge: 8 }, cropSize: { height: 7, width: 6 } }).outputSize, { height: 7, width: 6 });
  });

  it('batches pixels, bytes and files alike', async () => {
    const file = join(FIXTURES, 'noise-37x23.png');
    const processor = new ImageProcessor({ size: { height: 4, width: 5 } });
    const { data, shape } = await processor.batch([file, readFileSync(file), await fixture('noise-37x23.png')]);
    assert.deepEqual(shape, [3, 4, 5, 3]);
    assert.deepEqual(data.subarray(60, 120), data.subarray(0, 60));
    assert.deepEqual(data.subarray(120), data.subarray(0, 60));
    assert.deepEqual(await processor.process(file), data.slice(0, 60));
  });

  it('refuses a batch of different sizes, naming the picture', async () => {
    const processor = new ImageProcessor({ size: { shortestEdge: 8 } });
    const files = ['noise-37x23.png', 'noise-16x45.png'].map((name) => join(FIXTURES, name));
    await assert.rejects(processor.batch(files), /noise-16x45\.png: comes out 8×22 where the first is 12×8/);
    await assert.rejects(processor.batch([]), /no pictures/);
  });

  it('refuses pixels whose count is wrong', async () => {
    await assert.rejects(new ImageProcessor().process({ data: new Uint8Array(5), width: 2, height: 1 }), /expected 2×1×3 bytes/);
  });

  it('undoes its normalisation', async () => {
    const image = await fixture('noise-37x23.png');
    for (const processor of [new ImageProcessor(), new ImageProcessor({ doNormalize: false }), new ImageProcessor({ doRescale: false })]) {
      assert.deepEqual(processor.denormalize(processor.normalize(image), 37, 23).data, new Uint8Array(image.data));
    }
  });

  it('refuses a crop without a size and an unknown filter', () => {
    assert.throws(() => new ImageProcessor({ doCenterCrop: true }), /cropSize/);
    assert.throws(() => new ImageProcessor({ resample: 9 }), /resample is 9/);
  });
});
