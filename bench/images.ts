/**
 * Image loading against torchvision with Pillow: 1,000 photographs decoded, resized to 224×224 and normalised, on two threads here and by
 * two DataLoader workers there. Times are those of all of them.
 *
 *   npx tsx bench/images.ts [--images FOLDER] [--count 1000] [--workers 2] [--scale 2.2] [--filter bilinear] [--rounds 3] [--json FILE]
 *
 * FOLDER is Flickr8k's image folder or any other of JPEGs; without it the benchmark is left out. Photographs that are stored at 224×224
 * already (as in one copy of Flickr8k) need no resizing: of such, copies are made first that have about the originals' size (--scale 2.2).
 */
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import type { ImageLoader as Loader, ImageProcessor as Processor, ResampleFilter } from '../lib/images';
import { inFolder, options } from './harness/library';
import { Peer } from './harness/peer';
import { report, row } from './harness/results';
import { clock, takeTurns, type Time } from './harness/turns';

// The compiled library, whatever --source says: its threads run compiled code.
const { ImageLoader, ImageProcessor } = require('captioning') as { ImageLoader: typeof Loader; ImageProcessor: typeof Processor };

const values = options({
  images: join(process.env.FLICKR8K_DIR ?? join(__dirname, '../data/flickr8k'), 'images'), count: '1000', workers: '2', scale: '',
  filter: 'bilinear', rounds: '3',
});
const workers = Number(values.workers);

async function main(scratch: string): Promise<void> {
  const folder = resolve(values.images);
  const all = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name)).sort() : [];
  if (all.length === 0) {
    console.log(`Left out: ${folder} holds no JPEGs; set FLICKR8K_DIR, or give --images FOLDER.`);
    return;
  }
  const names = all.slice(0, Number(values.count)), { width: stored } = await sharp(join(folder, names[0])).metadata();
  const scale = Number(values.scale || (stored === 224 ? 2.2 : 1));
  const files = scale === 1 ? names.map((name) => join(folder, name)) : await enlarge(folder, names, scale, scratch);
  const list = join(scratch, 'files.txt'), { width, height } = await sharp(files[0]).metadata();
  fs.writeFileSync(list, files.join('\n'));
  const processor = new ImageProcessor({ size: { height: 224, width: 224 }, resample: values.filter as ResampleFilter });
  const load = async (): Promise<Time[]> => {
    const read = clock();
    let seen = 0;
    for await (const batch of new ImageLoader(files, processor, { batchSize: 32, threads: workers })) seen += batch.shape[0];
    if (seen !== files.length) throw new Error(`${seen} of ${files.length} photographs came through.`);
    return [read()];
  };
  const peer = await Peer.start('images.py', list, String(workers), values.filter);
  const times = await takeTurns(Number(values.rounds), { ours: load, theirs: async () => (peer ? peer.ask<Time[]>('load') : []) });
  peer?.stop();
  const work = `decode + resize to 224, ${files.length} photographs of ${width}×${height}`;
  const about = { work, against: `torchvision with Pillow, ${workers} workers`, target: 0.9 };
  report([peer?.description], [row(about, { times: times.ours }, { times: times.theirs })], values.json);
}

async function enlarge(folder: string, names: string[], scale: number, scratch: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const source = sharp(join(folder, name));
    const { width, height } = await source.metadata();
    const file = join(scratch, name);
    // 4:3, as most photographs are.
    await source.resize(Math.round(width * scale), Math.round(height * scale * 0.75), { fit: 'fill' }).jpeg({ quality: 90 }).toFile(file);
    files.push(file);
  }
  return files;
}

void inFolder(main);
