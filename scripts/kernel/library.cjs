// The library while it is being changed: a cell that imports it gets what its sources say by then.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..', '..');
const IMPORT = /\b(?:from|require\()\s*(['"])captioning\1/;

/** The latest change of a file below a folder that has this ending, in milliseconds; 0 without one. */
function latest(folder, ending) {
  let time = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) { if (!['dist', 'node_modules'].includes(entry.name)) time = Math.max(time, latest(file, ending)); }
    else if (entry.name.endsWith(ending)) time = Math.max(time, fs.statSync(file).mtimeMs);
  }
  return time;
}

const compileWithTsc = () => execFileSync(process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'lib'], { cwd: root, encoding: 'utf8' });

/**
 * Follows the sources of a library folder and its build in dist. `refresh(cell)` compiles what changed if the cell imports the library, and
 * forgets the modules of an older build; it returns what there is to say of it.
 */
function followLibrary(lib = path.join(root, 'lib'), compile = compileWithTsc) {
  const dist = path.join(lib, 'dist'), info = path.join(dist, '.tsbuildinfo');
  let seen = 0, loaded = 0;
  return function refresh(cell) {
    // A kernel whose library lies in another checkout leaves that alone.
    if (!IMPORT.test(cell) || !fs.existsSync(info)) return '';
    let said = '';
    const changed = latest(lib, '.ts');
    if (changed > Math.max(seen, fs.statSync(info).mtimeMs)) {
      seen = changed;
      try {
        compile();
        said = 'The library has changed and was compiled anew; objects made before keep their old code.';
      } catch (error) {
        // What compiles is written all the same, as by `npm run build`.
        said = `The library has changed and does not compile:\n${String(error.stdout || error.message).trim()}`;
      }
    }
    const built = latest(dist, '.js');
    if (loaded > 0 && built > loaded) {
      for (const file of Object.keys(require.cache)) if (file.startsWith(dist + path.sep)) delete require.cache[file];
    }
    loaded = built;
    return said;
  };
}

module.exports = { followLibrary };
