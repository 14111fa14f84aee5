// Makes data/scenes anew:   npx tsx scripts/scenes/generate.ts [--out FOLDER] [--check]
// The same seed gives the same captions and objects everywhere; the pictures' bytes also depend on sharp's librsvg and
// libpng, so the committed files are the dataset. --check compares captions.json with what would be made, and writes nothing.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { captionsFile, DATASET_SIZE, datasetScenes, rowOf } from './dataset';
import { renderPng } from './render';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(__dirname, '../../data/scenes') },
      check: { type: 'boolean', default: false },
    },
  });
  const target = resolve(values.out);
  const scenes = [...datasetScenes()];
  const rows = scenes.map(rowOf);
  const text = captionsFile(rows);

  if (values.check) {
    const file = join(target, 'captions.json');
    if (!existsSync(file)) throw new Error(`${file}: there is no such file; run without --check to make it.`);
    if (readFileSync(file, 'utf8') !== text)
      throw new Error(`${file} differs from what the generator makes; run without --check to make it anew.`);
    console.log(`${file}: as the generator makes it`);
    return;
  }
  // Never put a folder away that is not this dataset's.
  if (existsSync(target) && !existsSync(join(target, 'captions.json'))) {
    throw new Error(`${target} exists and holds no captions.json: it is not replaced. Give another folder with --out.`);
  }

  // Everything is written beside the target and put in its place at the end, so that a stopped run leaves the old dataset.
  mkdirSync(dirname(target), { recursive: true });
  const draft = mkdtempSync(join(dirname(target), '.scenes-'));
  try {
    mkdirSync(join(draft, 'images'));
    let bytes = Buffer.byteLength(text);
    let next = 0;
    const worker = async () => {
      for (let i = next++; i < scenes.length; i = next++) {
        const png = await renderPng(scenes[i].svg);
        bytes += png.length;
        writeFileSync(join(draft, rows[i].file), png);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    writeFileSync(join(draft, 'captions.json'), text);
    // Made for one user by mkdtemp; the dataset is readable by all.
    chmodSync(draft, 0o755);
    const old = `${draft}.old`;
    if (existsSync(target)) renameSync(target, old);
    renameSync(draft, target);
    rmSync(old, { recursive: true, force: true });
    console.log(
      `${target}: ${DATASET_SIZE} pictures, ${(bytes / 1e6).toFixed(2)} MB, captions.json ` +
      `${(statSync(join(target, 'captions.json')).size / 1e6).toFixed(2)} MB`,
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
