// .venv: JupyterLab at the versions and checksums of python/jupyter.lock, and the notebook kernel's registration.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findPython } from './machine.mjs';
import { at, hash, read, run, SetupError, stamped, writeWhole } from './steps.mjs';

export const venv = at('.venv');
export const python = path.join(venv, 'bin', 'python');
const lock = at('scripts', 'setup', 'python', 'jupyter.lock');
/** TensorFlow's libraries (tensorflow.mjs) do not depend on the Python beside them and outlive it. */
const kept = ['engine', '.setup-engine'];

// What pip may take from the user's settings: where packages come from and how to get there, nothing about where they go.
const network = ['index-url', 'extra-index-url', 'find-links', 'no-index', 'trusted-host', 'proxy', 'cert', 'client-cert', 'cache-dir',
  'no-cache-dir', 'timeout', 'default-timeout', 'retries', 'resume-retries', 'keyring-provider', 'use-feature', 'use-deprecated'];

/** The environment for Python and pip: the user's, without what would change the installation. */
export function pythonEnvironment(env = process.env, settings = {}) {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) =>
    !/^(PIP_|VIRTUAL_ENV$|__PYVENV_LAUNCHER__$|PYTHON(PATH|HOME|STARTUP|USERBASE|PLATLIBDIR|OPTIMIZE|WARNINGS|DEBUG|INSPECT|VERBOSE)$)/.test(name)));
  const pip = Object.fromEntries(network.filter((key) => settings[key]).map((key) => [`PIP_${key.replaceAll('-', '_').toUpperCase()}`, settings[key]]));
  if (!pip.PIP_TIMEOUT && !pip.PIP_DEFAULT_TIMEOUT) pip.PIP_TIMEOUT = '30';
  pip.PIP_RETRIES ??= '3';
  return { ...kept, ...pip, PIP_CONFIG_FILE: os.devNull, PIP_DISABLE_PIP_VERSION_CHECK: '1', PYTHONNOUSERSITE: '1', PYTHONUTF8: '1' };
}

/** pip's settings from all its files and the environment, by `pip config list` ("global.timeout='60'" a line, strongest last). */
export function parsePipSettings(listing) {
  const strength = (section) => ['global', 'install', ':env:'].indexOf(section);
  return Object.fromEntries(listing.split('\n').map((line) => /^(global|install|:env:)\.([\w-]+)=(['"])(.*)\3$/.exec(line.trim())).filter(Boolean)
    .sort((a, b) => strength(a[1]) - strength(b[1]))
    .map(([, , key, , value]) => [key, value.replace(/\\([n'"\\])/g, (_, c) => (c === 'n' ? '\n' : c))]));
}

/** Runs the environment's pip on a lock file: exact versions, checked sums, ready-made wheels, nothing resolved. */
export async function pipInstall(what, lockFile, { args = [], hint } = {}) {
  const listing = execFileSync(python, ['-m', 'pip', 'config', 'list'], { encoding: 'utf8', cwd: venv, stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PYTHONPATH: '', PYTHONHOME: '', PYTHONUTF8: '1' } });
  // Large wheels are unpacked in TMPDIR; /tmp may be small, and moving from there would be copying.
  const scratch = path.join(venv, '.pip');
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch, { recursive: true });
  try {
    await run(what, python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--no-deps', '--require-hashes', '--only-binary=:all:', '--no-compile',
      ...args, '-r', lockFile], { env: { ...pythonEnvironment(process.env, parsePipSettings(listing)), TMPDIR: scratch }, hint });
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Version of the environment's Python, '' if it does not run (its interpreter was removed or upgraded away). */
function venvVersion() {
  try {
    const version = execFileSync(python, ['-I', '-S', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return fs.existsSync(path.join(venv, 'lib', `python${version}`, 'site-packages', 'jupyterlab')) ? version : '';
  } catch { return ''; }
}

// An environment remembers its absolute path; a Python that is asked for must be the one it was made with.
const wish = () => (process.env.PYTHON ? findPython().executable : read(path.join(venv, '.setup-base')));

export const installPython = stamped({
  name: 'Python environment with JupyterLab',
  title() {
    const { executable, version } = findPython();
    return `Python environment with JupyterLab in .venv (Python ${version}, ${executable})`;
  },
  stamp: path.join(venv, '.setup-python'),
  key: () => hash(venv, read(lock), wish(), venvVersion()),
  witness: path.join(venv, 'bin', 'jupyter'),
  size: () => 450,
  check() {
    findPython();
    if (fs.existsSync(venv) && !fs.readdirSync(venv).some((name) => name.startsWith('.setup-'))) {
      throw new SetupError('.venv is there and was not made by set-up: move it away (`mv .venv .venv-mine`) and run it again.');
    }
  },
  async work() {
    const { executable } = findPython();
    fs.mkdirSync(venv, { recursive: true });
    writeWhole(path.join(venv, '.setup-base'), executable);
    for (const name of fs.readdirSync(venv)) {
      if (!kept.includes(name) && name !== '.setup-base') fs.rmSync(path.join(venv, name), { recursive: true, force: true });
    }
    await run('python -m venv', executable, ['-m', 'venv', venv], { env: pythonEnvironment() });
    await pipInstall('pip install jupyterlab', lock);
  },
});

const kernelFile = path.join(venv, 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json');
/** What `tslab install` would write, with our starter and absolute paths. */
const kernelSpec = () => `${JSON.stringify({
  argv: [process.execPath, at('scripts', 'kernel', 'tslab-kernel.cjs'), '--config-path', '{connection_file}'],
  display_name: 'TypeScript (captioning)',
  language: 'typescript',
  metadata: { debugger: false },
}, null, 2)}\n`;

const labSettingsFile = path.join(venv, 'share', 'jupyter', 'lab', 'settings', 'overrides.json');
const labSettings = `${JSON.stringify({
  // No news pop-up and no request to the internet when JupyterLab opens.
  '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false },
  // The first completion of a kernel reads all types, which takes longer than the second that JupyterLab would wait.
  '@jupyterlab/completer-extension:manager': { providerTimeout: 10_000 },
}, null, 2)}\n`;
/** JupyterLab's extension of this project: the files it is served from, and what they are to hold. */
const extension = at('scripts', 'kernel', 'lab-extension');
const extensionFiles = () => ['package.json', 'static/remoteEntry.js'].map((file) =>
  [path.join(venv, 'share', 'jupyter', 'labextensions', 'captioning-lab', file), read(path.join(extension, file))]);

export const registerKernel = {
  name: 'notebook kernel',
  title: () => 'the notebook kernel (in .venv only)',
  isDone: () => [[kernelFile, kernelSpec()], [labSettingsFile, labSettings], ...extensionFiles()]
    .every(([file, text]) => read(file) === text),
  forget: () => fs.rmSync(kernelFile, { force: true }),
  async work() {
    for (const [file, text] of extensionFiles()) writeWhole(file, text);
    writeWhole(labSettingsFile, labSettings);
    writeWhole(kernelFile, kernelSpec());
  },
};
