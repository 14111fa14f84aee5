import assert from 'node:assert/strict';
import sharp from 'sharp';
import { imageGrid, imageGridBundle } from '../../lib/notebook/image-grid';
import { wrapText } from '../../lib/notebook/sheet';
import { inFakeNotebook } from './fake-kernel';

const solid = (width: number, height: number, color: [number, number, number]) => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(color, i * 3);
  return { data, width, height };
};
const png = (image: ReturnType<typeof solid>): Promise<Buffer> => sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } }).png().toBuffer();

describe('imageGrid', () => {
  it('embeds thumbnails of pixels and encoded pictures, scaled into the size', async () => {
    const bundle = await imageGridBundle([{ image: solid(400, 200, [255, 0, 0]), caption: 'one' }, { image: await png(solid(30, 90, [0, 0, 255])), caption: 'two' }], { size: 60, format: 'png' });
    const sources = [...String(bundle['text/html']).matchAll(/src="data:image\/png;base64,([^"]+)"/g)].map((match) => Buffer.from(match[1], 'base64'));
    const sizes = await Promise.all(sources.map(async (source) => { const { width, height } = await sharp(source).metadata(); return [width, height]; }));
    assert.deepEqual(sizes, [[60, 30], [20, 60]]);
    const { dominant } = await sharp(sources[0]).stats();
    assert.ok(dominant.r > 200 && dominant.b < 50);
  });

  it('escapes titles, captions and alternative texts', async () => {
    const hostile = '"><img src=x onerror=alert(1)>';
    const page = String((await imageGridBundle([{ image: solid(8, 8, [0, 0, 0]), title: hostile, caption: [hostile, '<unk>'] }], { title: hostile }))['text/html']);
    assert.equal(page.match(/<img /g)?.length, 1);
    assert.ok(!page.includes('"><img src=x') && page.includes('&lt;unk&gt;'));
  });

  it('numbers pictures that nothing is said of, for those who do not see them', async () => {
    const bundle = await imageGridBundle([{ image: solid(8, 8, [0, 0, 0]), title: 'named' }, { image: solid(8, 8, [0, 0, 0]) }]);
    assert.deepEqual([...String(bundle['text/html']).matchAll(/ alt="([^"]*)"/g)].map(([, alt]) => alt), ['named', 'picture 2']);
    assert.equal(bundle['text/plain'], 'named\npicture 2');
  });

  it('has a still picture of the whole, wide enough for the columns, and a text', async () => {
    const items = Array.from({ length: 5 }, (_, i) => ({ image: solid(50, 50, [0, 255, 0]), title: `t${i}`, caption: 'a long caption that takes several lines' }));
    const bundle = await imageGridBundle(items, { columns: 3, size: 50 });
    const { width, height, format } = await sharp(Buffer.from(String(bundle['image/jpeg']), 'base64')).metadata();
    assert.deepEqual([width, format], [3 * 50 + 4 * 10, 'jpeg']);
    assert.ok(height! > 2 * (50 + 5 * 16), `${height}`);
    assert.equal(String(bundle['text/plain']).split('\n').length, 5);
  });

  it('names the file that cannot be read', async () => {
    await assert.rejects(imageGridBundle([{ image: 'no/such.jpg' }]), /no\/such\.jpg/);
    await assert.rejects(imageGridBundle([{ image: solid(2, 2, [0, 0, 0]) }], { size: 0 }), /size 8 to 2048/);
  });

  it('shows an empty list as such', async () => {
    const shown = await inFakeNotebook(() => imageGrid([]));
    assert.equal(shown[0].data['text/plain'], '(no pictures)');
  });
});

describe('wrapText', () => {
  it('breaks between words, and words that are too long', () => {
    assert.deepEqual(wrapText('a dog runs over green grass', 10), ['a dog runs', 'over green', 'grass']);
    assert.deepEqual(wrapText('an incomprehensible word', 8), ['an', 'incompre', 'hensible', 'word']);
    assert.deepEqual(wrapText('  ', 8), []);
  });
});
