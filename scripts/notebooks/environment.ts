/** Where things are, and how Python's side is started. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const root = path.resolve(__dirname, '..', '..');
export const notebooksFolder = path.join(root, 'notebooks');
export const buildFolder = path.join(root, 'build');

/** An expected failure, whose message is all the user needs. */
export class NotebookError extends Error {
  override readonly name = 'NotebookError';
}

export const python = path.join(root, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** Kernels and configuration are looked for in .venv, wherever the user's own settings point. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { JUPYTER_PATH: _path, PYTHONHOME: _home, ...env } = process.env;
  return { ...env, JUPYTER_PREFER_ENV_PATH: '1', PYDEVD_DISABLE_FILE_VALIDATION: '1', PYTHONUTF8: '1' };
}

export function requireSetup(): void {
  const kernel = path.join(root, '.venv', 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json');
  for (const file of [python, kernel]) {
    if (!fs.existsSync(file)) throw new NotebookError(`${path.relative(root, file)} is missing: run \`npm run setup\` first.`);
  }
}

export function startPython(args: string[], options: SpawnOptions): ChildProcess {
  requireSetup();
  return spawn(python, args, { cwd: root, env: pythonEnvironment(), ...options });
}

/** Complete or absent: writes beside the file and renames. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, content);
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The notebooks that are meant: all of notebooks/ for no name; else files, names, or unique beginnings of names ("01").
 *
 * @throws NotebookError naming what there is
 */
export function findNotebooks(names: readonly string[], folder = notebooksFolder): string[] {
  const all = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith('.ipynb') && !file.startsWith('.')).sort() : [];
  if (names.length === 0) {
    if (all.length === 0) throw new NotebookError(`${path.relative(root, folder) || folder}/ holds no notebooks.`);
    return all.map((file) => path.join(folder, file));
  }
  const found = names.map((name) => {
    if (name.endsWith('.ipynb') && fs.existsSync(name)) return path.resolve(name);
    const stem = path.basename(name, '.ipynb');
    const exact = all.filter((file) => file === `${stem}.ipynb`);
    const matches = exact.length > 0 ? exact : all.filter((file) => file.startsWith(stem));
    if (matches.length === 1) return path.join(folder, matches[0]);
    const what = matches.length === 0 ? `no notebook is called ${name}` : `${name} could be ${matches.join(' or ')}`;
    throw new NotebookError(`${what}; there are: ${all.join(', ') || 'none'}.`);
  });
  return [...new Set(found)];
}
