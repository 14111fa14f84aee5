import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SmolVLMImageProcessor, type RgbImage, type SmolVLMImageConfig } from '../../lib/images';
import { drawn } from '../drawn-picture';
import { every } from '../relative-to';
import fixture from '../fixtures/smolvlm-processor/tiny.json';

interface Case {
  options: Partial<SmolVLMImageConfig>; sizes: [number, number][]; shape: number[]; rows: number[][]; columns: number[][]; valid: number[][];
  tiles: string[][]; values: number[];
}
const cases = fixture.pixels as unknown as Case[];
const small = { size: { longestEdge: 128 }, maxImageSize: { longestEdge: 32 } };
const digest = ({ data }: RgbImage): string => createHash('sha256').update(data).digest('hex').slice(0, 16);

describe('SmolVLMImageProcessor', () => {
  for (const { options, sizes, shape, rows, columns, valid, tiles, values } of cases) {
    it(`cuts pictures as transformers on Pillow with ${JSON.stringify(options)}`, async () => {
      const processor = new SmolVLMImageProcessor({ ...small, ...options });
      const batch = await processor.batch(sizes.map(([width, height]) => [drawn(width, height)]));
      assert.deepEqual(batch.pixelValues.shape, shape);
      assert.deepEqual(batch.pixelAttentionMask.shape, shape.slice(0, 4));
      assert.deepEqual({ rows: batch.rows, columns: batch.columns }, { rows, columns });
      const [texts, most, side] = shape, area = side * side;
      const seen = Array.from({ length: texts }, (_, text) => Array.from({ length: most }, (_, tile) =>
        batch.pixelAttentionMask.data.subarray((text * most + tile) * area, (text * most + tile + 1) * area).reduce((a, b) => a + b, 0)));
      assert.deepEqual(seen, valid);
      for (const [text, [width, height]] of sizes.entries()) {
        assert.deepEqual((await processor.tiles(drawn(width, height))).tiles.map(digest), tiles[text], `${width}×${height}`);
        const filled = batch.pixelValues.data.subarray((text * most + tiles[text].length) * area * 3, (text + 1) * most * area * 3);
        assert.ok(filled.every((v) => v === 0), 'filled with zeros');
      }
      const first = every(batch.pixelValues.data.subarray(0, most * area * 3), 50);
      assert.equal(first.length, values.length);
      for (const [i, value] of values.entries()) assert.ok(Math.abs(first[i] - value) < 1e-6, `value ${i}: ${first[i]} ${value}`);
    });
  }

  it('puts the pictures of one text behind each other', async () => {
    const processor = new SmolVLMImageProcessor({ ...small, doImageSplitting: false });
    const { pixelValues, rows } = await processor.batch([[drawn(20, 10), drawn(9, 33)], [], [drawn(8, 8)]]);
    assert.deepEqual(pixelValues.shape, [3, 2, 32, 32, 3]);
    assert.deepEqual(rows, [[0, 0], [], [0]]);
    const alone = await processor.batch([[drawn(9, 33)]]);
    assert.deepEqual(pixelValues.data.subarray(32 * 32 * 3, 2 * 32 * 32 * 3), alone.pixelValues.data);
    await assert.rejects(processor.batch([[], []]), /no pictures/);
  });

  describe('reads preprocessor_config.json', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'smolvlm-'))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const read = (file: object) => {
      writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(file));
      return SmolVLMImageProcessor.fromPretrained(folder).config;
    };

    it('as transformers wrote it, and writes it back the same', () => {
      const tiny = SmolVLMImageProcessor.fromPretrained(join(__dirname, '../fixtures/smolvlm-processor/tiny'));
      assert.deepEqual([tiny.config.size, tiny.config.maxImageSize, tiny.config.resample, tiny.config.imageMean[0]], [{ longestEdge: 128 }, { longestEdge: 32 }, 'lanczos', 0.5]);
      tiny.save(folder, 'Idefics3ImageProcessor');
      assert.deepEqual(SmolVLMImageProcessor.fromPretrained(folder).config, tiny.config);
      assert.equal(JSON.parse(readFileSync(join(folder, 'preprocessor_config.json'), 'utf8')).image_processor_type, 'Idefics3ImageProcessor');
      assert.equal(SmolVLMImageProcessor.fromPretrained(folder, { doImageSplitting: false }).config.doImageSplitting, false);
    });

    it('inside the processor_config.json that transformers 5 writes', () => {
      writeFileSync(join(folder, 'processor_config.json'), JSON.stringify({ image_seq_len: 4, image_processor: { image_processor_type: 'SmolVLMImageProcessor', size: { longest_edge: 77 } } }));
      assert.equal(SmolVLMImageProcessor.fromPretrained(folder).config.size.longestEdge, 77);
    });

    it('filling in what the class has by default', () => {
      const { config } = new SmolVLMImageProcessor();
      assert.deepEqual(read({ image_processor_type: 'SmolVLMImageProcessor', size: null }), config);
      assert.deepEqual([config.size.longestEdge, config.maxImageSize.longestEdge], [1456, 364]);
    });

    it('and says file and key when something is wrong or not done here', () => {
      assert.throws(() => read({ image_processor_type: 'ViTImageProcessor' }), /preprocessor_config\.json: 'image_processor_type': expected SmolVLMImageProcessor/);
      assert.throws(() => read({ size: { height: 2, width: 2 } }), /'size\.longest_edge'/);
      assert.throws(() => read({ max_image_size: { longest_edge: 0 } }), /'max_image_size\.longest_edge'/);
      assert.throws(() => read({ do_pad: false }), /'do_pad': only true is supported/);
      assert.throws(() => read({ image_std: [1, 0, 1] }), /'image_std'/);
      assert.throws(() => SmolVLMImageProcessor.fromPretrained(join(folder, 'nowhere')), /nowhere.*there is no such file/);
    });
  });
});
