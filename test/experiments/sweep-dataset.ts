/** A folder of small pictures, each unlike the others, as a data set. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CaptionDataset } from '../../lib/datasets';
import { encodeImage } from '../../lib/images';

/** Writes `count` pictures of odd sizes. */
export async function writeSweepDataset(folder: string, count: number): Promise<CaptionDataset> {
  for (let k = 0; k < count; k++) {
    const width = 17 + (k % 5), height = 16 + (k % 3);
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => 1 + ((i * (7 + k)) % 255));
    writeFileSync(join(folder, `${String(k).padStart(3, '0')}.png`), await encodeImage({ data, width, height }));
  }
  return openSweepDataset(folder);
}

/** The pictures that {@link writeSweepDataset} wrote. */
export function openSweepDataset(folder: string): CaptionDataset {
  const files = readdirSync(folder).filter((name) => name.endsWith('.png')).sort();
  const record = (file: string) => ({ id: file, image: join(folder, file), captions: [`Picture ${file}.`, 'Another.'], split: 'test' as const });
  return new CaptionDataset('small pictures', files.map(record));
}
