/** The picture reader, on every format that it knows. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../../../lib/images';
import { must, type Files, type FuzzTarget } from '../target';

async function seeds(): Promise<Files[]> {
  const width = 24, height = 16, pixels = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256));
  const drawn = () => sharp(pixels, { raw: { width, height, channels: 3 } });
  const frames = await sharp(Buffer.concat([pixels, pixels]), { raw: { width, height: 2 * height, channels: 3,
    pageHeight: height } as sharp.CreateRaw }).gif({ delay: [10, 10] }).toBuffer();
  const encoded: Record<string, Buffer> = {
    'a.png': await drawn().png().toBuffer(), 'b.jpg': await drawn().jpeg().withExif({ IFD0: { Orientation: '6' } }).toBuffer(),
    'c.webp': await drawn().webp().toBuffer(), 'd.gif': frames, 'e.tiff': await drawn().tiff({ compression: 'deflate' }).toBuffer(),
    'f.avif': await drawn().avif({ effort: 0 }).toBuffer(), 'g.jpg': await drawn().toColourspace('cmyk').jpeg().toBuffer(),
    'h.png': await drawn().greyscale().png({ palette: true }).toBuffer(),
  };
  return Object.entries(encoded).map(([name, bytes]) => ({ [name]: bytes }));
}

export const imageTargets: readonly FuzzTarget[] = [{
  name: 'images',
  seeds,
  read: async (folder) => {
    for (const name of fs.readdirSync(folder)) {
      const { data, width, height } = await decodeImage(path.join(folder, name), { maxPixels: 1_000_000 });
      must(width > 0 && height > 0 && width * height <= 1_000_000 && data.length === width * height * 3,
        `${width}×${height} with ${data.length} bytes`);
    }
  },
}];
