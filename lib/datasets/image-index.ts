/** Finds the pictures that captions name inside a folder, without leaving it, at one directory read a folder. */
import { readdirSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

/**
 * The pictures below a folder. Names are as data sets write them: relative, `/` between folders, case as on disk.
 */
export class ImageIndex {
  readonly root: string;
  private readonly folders = new Map<string, Set<string>>();

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Absolute path of the picture, or undefined when it is not on disk or would lie outside the folder. */
  find(name: string): string | undefined {
    if (imageNameProblem(name)) return undefined;
    const clean = posix.normalize(name);
    return this.list(posix.dirname(clean)).has(posix.basename(clean)) ? join(this.root, clean) : undefined;
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  private list(folder: string): Set<string> {
    let names = this.folders.get(folder);
    if (!names) {
      try {
        const entries = readdirSync(join(this.root, folder), { withFileTypes: true });
        names = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name));
      } catch {
        names = new Set();
      }
      this.folders.set(folder, names);
    }
    return names;
  }
}

/** What is wrong with a picture's name in a caption file, or undefined: names must be relative and stay below their folder. */
export function imageNameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'the image name is empty';
  if (/[\0-\x1f\\]/.test(name)) return 'the image name holds a backslash or a control character';
  if (posix.isAbsolute(name) || /^[a-z]:/i.test(name)) return 'the image name is an absolute path; it must be relative to the image folder';
  const clean = posix.normalize(name);
  if (clean === '..' || clean.startsWith('../')) return 'the image name leads out of the image folder';
  if (clean === '.' || clean.endsWith('/')) return 'the image name is a folder';
  return undefined;
}
