// lib/dist: the compiled library that notebooks and the command line import.
import fs from 'node:fs';
import path from 'node:path';
import { at, hash, run, stamped } from './steps.mjs';

const lib = at('lib');
const dist = path.join(lib, 'dist');
const skipped = new Set(['node_modules', 'dist']);

function* files(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) { if (!skipped.has(entry.name)) yield* files(file); }
    else if (/\.(ts|json)$/.test(entry.name)) yield file;
  }
}

/** Changes with every change of the library's sources, by their times and sizes. */
const sources = () => hash(...[...files(lib), at('tsconfig.base.json'), at('package-lock.json')].sort()
  .map((file) => { const { mtimeMs, size } = fs.statSync(file); return `${path.relative(lib, file)} ${mtimeMs} ${size}`; }));

/** Deletes what was compiled from sources that are gone. */
function prune(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) { prune(file); if (fs.readdirSync(file).length === 0) fs.rmdirSync(file); continue; }
    const source = path.join(lib, path.relative(dist, file)).replace(/\.(js|d\.ts)(\.map)?$/, '.ts');
    if (/\.ts$/.test(source) && !fs.existsSync(source)) fs.rmSync(file);
  }
}

export const buildLibrary = stamped({
  name: 'the compiled library',
  title: () => 'the library (lib/dist)',
  stamp: path.join(dist, '.setup-library'),
  key: sources,
  witness: path.join(dist, 'index.js'),
  async work() {
    // A build that was cut off may have recorded files it did not write.
    fs.rmSync(path.join(dist, '.tsbuildinfo'), { force: true });
    await run('tsc -p lib', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'lib']);
    prune(dist);
  },
});
