import * as path from 'node:path';

/**
 * Forgets the compiled library, so that the next `import … from 'captioning'` in a notebook loads what was built meanwhile. Run the
 * import cell again afterwards; objects made before keep their old code.
 *
 * @returns how many modules were forgotten
 */
export function reload(): number {
  const own = path.dirname(__dirname) + path.sep;
  const files = Object.keys(require.cache).filter((file) => file.startsWith(own));
  for (const file of files) delete require.cache[file];
  return files.length;
}
