/** Files for one test, in a folder that goes away afterwards. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A PNG of one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

/** Registers hooks that make and remove the folder; the answer writes files into it and gives paths in it. */
export function temporaryFolder() {
  const folder = { path: '' };
  beforeEach(() => (folder.path = mkdtempSync(join(tmpdir(), 'datasets-'))));
  afterEach(() => rmSync(folder.path, { recursive: true, force: true }));
  return {
    get path() {
      return folder.path;
    },
    write(name: string, content: string | Buffer | object = PIXEL): string {
      const file = join(folder.path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
      return file;
    },
  };
}
