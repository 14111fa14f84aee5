import * as fs from 'node:fs';
import * as path from 'node:path';

/**
 * The project's top folder, from compiled library and source alike. `CAPTIONING_PROJECT` names another one, with data and weights of its
 * own: what runs there leaves the project itself alone.
 */
export const projectRoot: string = (() => {
  if (process.env.CAPTIONING_PROJECT) return path.resolve(process.env.CAPTIONING_PROJECT);
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'notebooks')) && fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return process.cwd();
  }
})();

/** A path in the project: notebooks run in notebooks/, commands anywhere, and `data/flickr8k` or `../photos` means the same to all. */
export const inProject = (...parts: string[]): string => path.resolve(projectRoot, ...parts);

/** Of this library's package. */
export const libraryVersion: string = (() => {
  const file = ['.', '..'].map((up) => path.join(__dirname, up, 'package.json')).find((each) => fs.existsSync(each));
  return file ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
})();
