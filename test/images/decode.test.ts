import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { decodeImage, encodeImage, ImageError } from '../../lib/images';
import { cases, difference, fixture, FIXTURES } from './fixtures';

describe('decodeImage equals Pillow', () => {
  for (const { file, expected, exact, exifRotation } of cases.decode) {
    it(`on ${file}${exifRotation === false ? ' not rotated' : ''}`, async () => {
      const image = await decodeImage(join(FIXTURES, file), { exifRotation });
      const { largest, share } = difference(image, await fixture(expected));
      if (exact) assert.equal(largest, 0);
      else assert.ok(largest <= 2 && share <= 0.03, `${largest} levels, ${share} of values`);
    });
  }
});

describe('decodeImage', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'decode-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const failure = async (file: string | Uint8Array, options?: { maxPixels: number }) => {
    const error = await decodeImage(file, options).then(() => assert.fail(`${String(file)} was decoded`), (reason: unknown) => reason);
    assert.ok(error instanceof ImageError, String(error));
    if (typeof file === 'string') assert.ok(error.message.includes(file), error.message);
    return error.message;
  };

  it('goes by content, not by name', async () => {
    const file = write('really-png.jpg', readFileSync(join(FIXTURES, 'rgba.png')));
    assert.equal((await decodeImage(file)).width, 41);
  });

  it('reads bytes as well as files', async () => {
    assert.equal((await decodeImage(readFileSync(join(FIXTURES, 'rgb.jpg')))).height, 29);
    // A view into a larger buffer, as slices of an archive are.
    const png = readFileSync(join(FIXTURES, 'rgba.png'));
    const larger = new Uint8Array(png.length + 20);
    larger.set(png, 7);
    assert.equal((await decodeImage(larger.subarray(7, 7 + png.length))).height, 29);
  });

  it('takes the stored values, whatever the colour profile, as Pillow does', async () => {
    const { data, width, height } = await fixture('drawing-90x60.png');
    const tagged = await sharp(data, { raw: { width, height, channels: 3 } }).withIccProfile('p3').png().toBuffer();
    const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    assert.ok((await sharp(tagged).metadata()).icc);
    assert.notDeepEqual(await sharp(tagged).raw().toBuffer(), stored);
    assert.deepEqual(new Uint8Array((await decodeImage(tagged)).data), new Uint8Array(stored));
  });

  it('reads a file anew when it has changed', async () => {
    const file = write('changing.png', readFileSync(join(FIXTURES, 'rgba.png')));
    assert.equal((await decodeImage(file)).width, 41);
    write('changing.png', readFileSync(join(FIXTURES, 'noise-37x23.png')));
    assert.equal((await decodeImage(file)).width, 37);
  });

  for (const name of ['rgb.jpg', 'progressive.jpg', 'rgba.png', 'lossless.webp', 'animated.gif', 'plain.tiff']) {
    it(`says that ${name} is cut short`, async () => {
      const bytes = readFileSync(join(FIXTURES, name));
      // Half an animation of two frames still holds the whole first one.
      for (const share of name === 'animated.gif' ? [0.4, 0.2] : [0.9, 0.5]) {
        const file = write(`short-${share}-${name}`, bytes.subarray(0, Math.floor(bytes.length * share)));
        assert.match(await failure(file), /cut short or damaged|cannot be decoded/);
      }
    });
  }

  it('says what a file is that is no picture', async () => {
    assert.match(await failure(write('empty.jpg', '')), /empty/);
    assert.match(await failure(write('zeros.jpg', Buffer.alloc(500))), /nothing but zeros/);
    assert.match(await failure(write('page.jpg', '<!DOCTYPE html><html></html>')), /web page.*JPG, the content does not/);
    assert.match(await failure(write('drawing.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')), /SVG/);
    assert.match(await failure(write('notes.txt', 'a dog runs')), /this is text/);
    assert.match(await failure(write('archive.png', 'PK\x03\x04....')), /zip archive/);
    assert.match(await failure(write('noise.png', Buffer.from([1, 200, 3, 250, 9]))), /not a picture/);
    assert.match(await failure(write('header.png', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))), /decoded|damaged/);
  });

  it('says that a file is missing or a folder', async () => {
    assert.match(await failure(join(folder, 'nowhere.jpg')), /no such file/);
    mkdirSync(join(folder, 'folder.jpg'));
    assert.match(await failure(join(folder, 'folder.jpg')), /a folder/);
  });

  it('refuses pictures above the limit of pixels before decoding them', async () => {
    assert.match(await failure(join(FIXTURES, 'rgba.png'), { maxPixels: 1000 }), /41×29 pixels; more than 1000/);
    // A bomb: a header that claims 50,000 × 50,000, in a file of some bytes.
    const bomb = Buffer.from(readFileSync(join(FIXTURES, 'grey.png')));
    bomb.writeUInt32BE(50_000, 16);
    bomb.writeUInt32BE(50_000, 20);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    assert.match(await failure(write('bomb.png', bomb)), /50000×50000 pixels.*refused/);
  });
});

describe('encodeImage', () => {
  it('PNG gives the pixels back', async () => {
    const image = await fixture('noise-37x23.png');
    assert.equal(difference(await decodeImage(await encodeImage(image)), image).largest, 0);
  });
  it('JPEG gives about the pixels back', async () => {
    const image = await fixture('drawing-90x60.png');
    const again = await decodeImage(await encodeImage(image, 'jpeg'));
    assert.deepEqual([again.width, again.height], [90, 60]);
  });
});
