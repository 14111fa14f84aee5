// Makes README's picture (docs/results.png) of outputs of the committed notebooks:   npx tsx scripts/readme-picture.ts
import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { notebooksFolder, root } from './notebooks/environment';
import { textOf, type Notebook } from './notebooks/notebook-file';

const WIDTH = 1000, MARGIN = 12;

/** The nth picture that a cell shows, `width` pixels wide. */
async function pictureOf(notebook: string, id: string, nth: number, width: number): Promise<{ data: Buffer; height: number }> {
  const { cells } = JSON.parse(fs.readFileSync(path.join(notebooksFolder, `${notebook}.ipynb`), 'utf8')) as Notebook;
  const outputs = cells.find((cell) => cell.id === id)?.outputs ?? [];
  const types = ['image/png', 'image/jpeg'];
  const shown = outputs.flatMap(({ data = {} }) => types.filter((type) => type in data).map((type) => textOf(data[type] as string)));
  if (shown[nth] === undefined) throw new Error(`${notebook}: cell ${id} shows ${shown.length} pictures, expected ${nth + 1} or more.`);
  const picture = sharp(Buffer.from(shown[nth], 'base64')).flatten({ background: '#ffffff' }).resize({ width });
  const { data, info } = await picture.png().toBuffer({ resolveWithObject: true });
  return { data, height: info.height };
}

async function main(): Promise<void> {
  const half = (WIDTH - 3 * MARGIN) / 2;
  const [attention, captions, scores] = await Promise.all([
    pictureOf('01-mobilenet-gru-attention', 'cell-17', 0, WIDTH - 2 * MARGIN),
    pictureOf('01-mobilenet-gru-attention', 'cell-15', 0, half),
    pictureOf('12-leaderboard', 'cell-09', 0, half),
  ]);
  const below = attention.height + 2 * MARGIN, height = below + Math.max(captions.height, scores.height) + MARGIN;
  const file = path.join(root, 'docs', 'results.png');
  await sharp({ create: { width: WIDTH, height, channels: 3, background: '#ffffff' } }).composite([
    { input: attention.data, left: MARGIN, top: MARGIN },
    { input: captions.data, left: MARGIN, top: below },
    { input: scores.data, left: half + 2 * MARGIN, top: below + Math.round((captions.height - scores.height) / 2) },
  ]).png({ palette: true, colours: 128, effort: 10, compressionLevel: 9 }).toFile(file);
  console.log(`${path.relative(root, file)}: ${WIDTH}×${height}, ${Math.round(fs.statSync(file).size / 1000)} kB`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
