import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  BACKGROUNDS, CANVAS, captionsFile, COLOURS, COMPOSITIONS, DATASET_SEED, datasetScenes, datasetSignatures, generateScene, KINDS, narrate, Random,
  renderBatch, renderPixels, renderPng, rowOf, sceneSignature, SIZES, TEXTURES,
} from '../../scripts/scenes';
import { FIGURES } from '../../scripts/scenes/figures';
import { inkFor } from '../../scripts/scenes/paint';
import { boxAt, measure } from '../../scripts/scenes/placement';
import { transformOf } from '../../scripts/scenes/scene';

const FOLDER = join(__dirname, '../../data/scenes');
const scenes = [...datasetScenes()];

describe('Random', () => {
  it('gives one stream for a seed, another for the next, spread evenly', () => {
    const draw = (seed: string, count: number) => {
      const rng = new Random(seed);
      return Array.from({ length: count }, () => rng.next());
    };
    assert.deepEqual(draw('a/1', 5), draw('a/1', 5));
    assert.equal(new Set([...draw('a/1', 3), ...draw('a/2', 3), ...draw('b/1', 3)]).size, 9);
    const numbers = draw('even', 20000);
    assert.ok(Math.abs(numbers.reduce((sum, x) => sum + x, 0) / 20000 - 0.5) < 0.01);
    // Streams of neighbouring seeds are unrelated from the first number on.
    const firsts = Array.from({ length: 4000 }, (_, i) => draw(`n/${i}`, 1)[0]);
    const bins = Array.from({ length: 10 }, (_, b) => firsts.filter((x) => Math.floor(x * 10) === b).length);
    assert.ok(Math.min(...bins) > 320 && Math.max(...bins) < 480, bins.join(' '));
  });

  it('picks by weight, and refuses to pick from nothing', () => {
    const rng = new Random('weights');
    const counts = { rare: 0, common: 0 };
    for (let i = 0; i < 5000; i++) counts[rng.weighted({ rare: 1, common: 4 })]++;
    assert.ok(counts.rare > 900 && counts.rare < 1100, JSON.stringify(counts));
    assert.throws(() => rng.pick([]), /nothing to pick/);
  });
});

describe('generateScene', () => {
  it('gives the same scene for the same seed', () => {
    assert.deepEqual(generateScene('test/1'), generateScene('test/1'));
    assert.notEqual(generateScene('test/1').svg, generateScene('test/2').svg);
    assert.equal(narrate(generateScene('test/1')), narrate(generateScene('test/1')));
  });

  it('keeps to the kinds, backgrounds and compositions asked for', () => {
    for (let i = 0; i < 20; i++) {
      const scene = generateScene(`asked/${i}`, { kinds: ['cat', 'house', 'kite'], backgrounds: ['snow'], compositions: { beside: 1, over: 1 } });
      assert.equal(scene.background, 'snow');
      assert.ok(scene.objects.every(({ kind }) => ['cat', 'house', 'kite'].includes(kind)));
      assert.ok(['beside', 'over'].includes(scene.composition));
    }
    assert.throws(() => generateScene('never', { kinds: ['kite'], compositions: { stacked: 1 } }), /no layout found/);
  });

  it('keeps every thing in the picture, and entities in order of saliency', () => {
    for (const { objects, entities } of scenes) {
      for (const { box: [x, y, w, h] } of objects) assert.ok(x >= 0 && y >= 0 && x + w <= CANVAS && y + h <= CANVAS);
      assert.equal(objects.length, entities.reduce((sum, { count }) => sum + count, 0));
      assert.deepEqual([...new Set(objects.map(({ entity }) => entity))], entities.map((_, i) => i));
    }
  });

  it('shows every class often enough to be learnt', () => {
    const share = (has: (scene: (typeof scenes)[number]) => boolean) => scenes.filter(has).length / scenes.length;
    for (const kind of KINDS) assert.ok(share(({ entities }) => entities.some((e) => e.kind === kind)) > 0.04, kind);
    for (const colour of COLOURS) assert.ok(share(({ entities }) => entities.some((e) => e.colour === colour)) > 0.1, colour);
    for (const texture of TEXTURES) assert.ok(share(({ entities }) => entities.some((e) => e.texture === texture)) > 0.1, texture);
    for (const size of SIZES) assert.ok(share(({ entities }) => entities.some((e) => e.size === size)) > 0.1, size);
    for (const background of BACKGROUNDS) assert.ok(share((scene) => scene.background === background) > 0.07, background);
    for (const composition of COMPOSITIONS) assert.ok(share((scene) => scene.composition === composition) > 0.05, composition);
    for (const count of [2, 3, 4]) assert.ok(share(({ entities }) => entities.some((e) => e.count === count)) > 0.04, `${count}`);
  });
});

describe('Boxes of Scenes', () => {
  for (const kind of KINDS) {
    it(`fit the drawn ${kind}, turned and mirrored, to a pixel and a half`, async () => {
      for (const [turn, mirrored] of [[0, false], [12, true], [-9, false]] as const) {
        const figure = measure({ kind, length: 60, turn, mirrored });
        const box = boxAt(figure, 20, 24);
        const { ink, definitions } = inkFor('blue', 'striped', 'p', figure.scale, new Random('ink'));
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128"><defs>${definitions}</defs>` +
          `<g transform="${transformOf(figure, box)}" stroke="#000" stroke-width="${ink.width}" stroke-linejoin="round">${FIGURES[kind].draw(ink)}</g></svg>`;
        const { data } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
        const seen = [...Array(128 * 128).keys()].filter((i) => data[4 * i + 3] > 100);
        const xs = seen.map((i) => i % 128);
        const ys = seen.map((i) => Math.floor(i / 128));
        const drawn = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
        const told = [box[0], box[1], box[0] + box[2], box[1] + box[3]];
        for (let side = 0; side < 4; side++) {
          assert.ok(Math.abs(drawn[side] - told[side]) <= 1.5, `turn ${turn}: drawn ${drawn.join(' ')}, told ${told.join(' ')}`);
        }
      }
    });
  }
});

describe('renderPixels', () => {
  it('gives RGB of the size asked for, the same in a batch', async () => {
    const svgs = scenes.slice(0, 5).map(({ svg }) => svg);
    const batch = await renderBatch(svgs, { inFlight: 2 });
    for (const [i, svg] of svgs.entries()) {
      const pixels = await renderPixels(svg);
      assert.equal(pixels.length, CANVAS * CANVAS * 3);
      assert.ok(Buffer.from(pixels).equals(Buffer.from(batch[i])));
    }
    assert.equal((await renderPixels(svgs[0], { size: 64 })).length, 64 * 64 * 3);
    assert.equal((await sharp(await renderPng(svgs[0], { size: 224 })).metadata()).width, 224);
  });
});

describe('The committed Scenes', () => {
  const text = readFileSync(join(FOLDER, 'captions.json'), 'utf8');

  it('are what the generator makes: captions, objects, relations', () => {
    const [expected, committed] = [captionsFile(scenes.map(rowOf)), text].map((file) => file.split('\n'));
    assert.equal(committed.length, expected.length);
    for (const [i, line] of expected.entries()) assert.equal(committed[i], line, `line ${i + 1}`);
  });

  it('show what the generator draws', async () => {
    for (let i = 0; i < 1200; i += 97) {
      const drawn = await renderPixels(scenes[i].svg);
      const stored = await sharp(join(FOLDER, rowOf(scenes[i], i).file)).removeAlpha().toColourspace('srgb').raw().toBuffer();
      assert.equal(stored.length, drawn.length);
      // Stored with at most 256 colours, and drawn by whichever librsvg sharp brings.
      const difference = drawn.reduce((sum, value, k) => sum + Math.abs(value - stored[k]), 0) / drawn.length;
      assert.ok(difference < 2, `${scenes[i].seed}: ${difference.toFixed(2)} levels`);
    }
  });

  it('say nothing twice, within a split or across them', () => {
    assert.equal(new Set(scenes.map(sceneSignature)).size, 1200);
    assert.equal(datasetSignatures(['test']).size, 100);
    assert.ok(scenes.every(({ seed }) => seed.startsWith(`${DATASET_SEED}/`)));
    const lines = text.split('\n').filter((line) => line.startsWith('{"id"')).map((line) => JSON.parse(line.replace(/,$/, '')) as ReturnType<typeof rowOf>);
    assert.deepEqual(['train', 'val', 'test'].map((split) => lines.filter((row) => row.split === split).length), [1000, 100, 100]);
  });
});
