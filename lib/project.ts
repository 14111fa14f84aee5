import * as fs from 'node:fs';
import * as path from 'node:path';

/** The project's top folder, from compiled library and source alike. */
export const projectRoot: string = (() => {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'notebooks')) && fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return process.cwd();
  }
})();

/** A path in the project: notebooks run in notebooks/, commands anywhere, and `data/flickr8k` or `../photos` means the same to all. */
export const inProject = (...parts: string[]): string => path.resolve(projectRoot, ...parts);
