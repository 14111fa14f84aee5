/**
 * Image loading against torchvision with Pillow: 1,000 photographs decoded, resized to 224×224 and normalised, on two threads here
 * and two DataLoader workers there. Prints both rates and their ratio; and processor time per photograph, which still means something
 * on a machine that is busy with other things.
 *
 *   npx tsx bench/images.ts --images FOLDER [--python PATH] [--count 1000] [--workers 2] [--scale 2.2] [--filter bilinear]
 *
 * FOLDER is Flickr8k's image folder or any other of JPEGs. Photographs that are stored at 224×224 already (as in one copy of Flickr8k)
 * need no resizing; --scale first writes enlarged copies to a temporary folder (2.2 makes them the size of Flickr8k's originals).
 * PATH is a Python with torch, torchvision and Pillow (default: python3); without one, only this side is measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import type { ImageLoader as Loader, ImageProcessor as Processor, ResampleFilter } from '../lib/images';

// The compiled library is measured, as notebooks use it; `npm run build` makes it.
const { ImageLoader, ImageProcessor } = require('../lib/dist/images') as { ImageLoader: typeof Loader; ImageProcessor: typeof Processor };

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: join(process.env.FLICKR8K_DIR ?? 'data/flickr8k', 'images') },
    python: { type: 'string', default: 'python3' },
    count: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '2' },
    scale: { type: 'string', default: '1' },
    filter: { type: 'string', default: 'bilinear' },
    rounds: { type: 'string', default: '3' },
  },
});
const workers = Number(values.workers);
const rounds = Number(values.rounds);

async function main(): Promise<void> {
  const folder = resolve(values.images);
  const names = readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name)).sort().slice(0, Number(values.count));
  if (names.length === 0) throw new Error(`${folder} holds no JPEGs.`);
  const scratch = mkdtempSync(join(tmpdir(), 'bench-images-'));
  try {
    const scale = Number(values.scale);
    const files = scale === 1 ? names.map((name) => join(folder, name)) : await enlarge(folder, names, scale, scratch);
    const list = join(scratch, 'files.txt');
    writeFileSync(list, files.join('\n'));
    const { width, height } = await sharp(files[0]).metadata();
    console.log(`${files.length} photographs, the first ${width}×${height}, to 224×224 (${values.filter}), ${workers} workers, best of ${rounds}`);
    const here = await measure(files);
    console.log(`captioning            ${describe(here)}`);
    const python = spawnSync(values.python, [join(__dirname, 'images.py'), list, String(workers), values.filter, String(rounds)], { encoding: 'utf8' });
    if (python.status !== 0) {
      console.log(`torchvision + Pillow  not measured: ${(python.error?.message ?? python.stderr).trim().split('\n').at(-1)}`);
      return;
    }
    const there = JSON.parse(python.stdout) as Measured & { versions: string };
    console.log(`torchvision + Pillow  ${describe(there)} (${there.versions})`);
    console.log(`ratio of rates        ${(here.rate / there.rate).toFixed(2)}`);
    console.log(`ratio of processor    ${(there.cpu / here.cpu).toFixed(2)}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Measured {
  /** Photographs a second, best round. */
  readonly rate: number;
  /** Milliseconds of processor time a photograph, all threads and processes, best round. */
  readonly cpu: number;
}

function describe({ rate, cpu }: Measured): string {
  return `${rate.toFixed(0).padStart(6)} photographs a second, ${cpu.toFixed(2)} ms of processor time each`;
}

async function measure(files: string[]): Promise<Measured> {
  const processor = new ImageProcessor({ size: { height: 224, width: 224 }, resample: values.filter as ResampleFilter });
  let rate = 0;
  let cpu = Infinity;
  // The first round also starts the threads and compiles the code; DataLoader's first starts its workers too.
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const used = process.cpuUsage();
    let seen = 0;
    for await (const batch of new ImageLoader(files, processor, { batchSize: 32, threads: workers })) seen += batch.shape[0];
    if (seen !== files.length) throw new Error(`${seen} of ${files.length} photographs came through.`);
    const { user, system } = process.cpuUsage(used);
    rate = Math.max(rate, (1000 * seen) / (performance.now() - start));
    cpu = Math.min(cpu, (user + system) / 1000 / seen);
  }
  return { rate, cpu };
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

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
