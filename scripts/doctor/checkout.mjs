// The checkout: steps of set-up, versions, the kernel, folders with data and checkpoints.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { steps } from '../setup/main.mjs';
import { python } from '../setup/python-environment.mjs';
import { at, read } from '../setup/steps.mjs';

const setup = 'run `npm run setup`';
const manifest = (...parts) => { try { return JSON.parse(read(at(...parts, 'package.json'))).version; } catch { return ''; } };

function npmVersion(name, label = name, folder = at('node_modules', name)) {
  const version = manifest(path.relative(at(), folder));
  return version ? { name: label, value: version, state: 'ok' } : { name: label, value: 'missing', state: 'broken', remedy: setup };
}

function pythonFacts() {
  try {
    const found = JSON.parse(execFileSync(python, ['-I', '-c', `import json, sys
from importlib.metadata import version, PackageNotFoundError
def v(name):
  try: return version(name)
  except PackageNotFoundError: return ''
print(json.dumps({'Python': sys.version.split()[0], **{label: v(name) for label, name in [('JupyterLab', 'jupyterlab'), ('nbclient', 'nbclient'), ('nbconvert', 'nbconvert'), ('plotly (Python)', 'plotly')]}}))`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
    return Object.entries(found).map(([name, version]) => (version ? { name, value: version, state: 'ok' } : { name, value: 'missing', state: 'broken', remedy: 'run `npm run setup -- --fresh`' }));
  } catch {
    return [{ name: 'Python', value: `${path.relative(at(), python)} does not run`, state: 'broken', remedy: setup }];
  }
}

function kernelFact() {
  const file = at('.venv', 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json');
  let spec;
  try { spec = JSON.parse(read(file)); } catch { return { name: 'kernel', value: 'not registered', state: 'broken', remedy: setup }; }
  const missing = spec.argv?.slice(0, 2).find((part) => !fs.existsSync(part));
  return missing ? { name: 'kernel', value: `points to ${missing}, which is not there`, state: 'broken', remedy: setup }
    : { name: 'kernel', value: `${spec.display_name}, in ${path.relative(at(), path.dirname(file))}`, state: 'ok' };
}

/** Bytes and files below a folder; links are not followed. */
function measure(folder) {
  let bytes = 0, files = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    files++;
    try { bytes += fs.statSync(path.join(entry.parentPath, entry.name)).size; } catch { /* deleted meanwhile */ }
  }
  return `${files} file${files === 1 ? '' : 's'}, ${bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`}`;
}

function folderFact(name, folder, absent, { named = false } = {}) {
  if (!fs.existsSync(folder)) return { name, value: `${folder}: ${absent}`, state: named ? 'broken' : 'note', ...(named ? { remedy: 'correct the variable that names it' } : {}) };
  try {
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.X_OK);
    return { name, value: `${folder} (${measure(folder)})`, state: 'note' };
  } catch (error) {
    return { name, value: `${folder}: ${error.code}`, state: 'broken', remedy: 'give yourself access to it' };
  }
}

/** A photograph's folder is large: look for what has to be in it instead of counting. */
function flickr8k() {
  const named = process.env.FLICKR8K_DIR;
  const folder = named ? path.resolve(at(), named) : at('data', 'flickr8k');
  if (!fs.existsSync(folder)) {
    return named ? { name: 'Flickr8k', value: `${folder} (FLICKR8K_DIR) is not there`, state: 'broken', remedy: 'correct FLICKR8K_DIR or leave it out' }
      : { name: 'Flickr8k', value: 'not here (data/flickr8k or FLICKR8K_DIR; only PROFILE=full needs it)', state: 'note' };
  }
  const names = fs.readdirSync(folder);
  const captions = names.filter((name) => /token|captions|\.csv$|dataset.*\.json$/i.test(name));
  return { name: 'Flickr8k', value: `${folder}: ${captions.length ? captions.join(', ') : `no captions among ${names.length} entries`}`, state: captions.length ? 'note' : 'broken',
    ...(captions.length ? {} : { remedy: 'see data/README.md for its files' }) };
}

export function checkoutFacts() {
  const missing = [];
  let setUp = { name: 'set-up', value: 'complete', state: 'ok' };
  try {
    missing.push(...steps.filter((step) => !step.isDone()).map((step) => step.name));
    if (missing.length) setUp = { name: 'set-up', value: `to do: ${missing.join(', ')}`, state: 'broken', remedy: setup };
  } catch (error) {
    setUp = { name: 'set-up', value: error.message, state: 'broken', remedy: setup };
  }
  return [
    setUp,
    { name: 'Node', value: `${process.versions.node} (${process.execPath})`, state: 'ok' },
    npmVersion('captioning', 'library', at('lib')),
    npmVersion('typescript', 'TypeScript'),
    npmVersion('tslab'),
    npmVersion('@tensorflow/tfjs-node-gpu', 'tfjs-node-gpu'),
    npmVersion('danfojs-node'),
    npmVersion('sharp'),
    ...pythonFacts(),
    kernelFact(),
    folderFact('weights cache', at('weights', 'cache'), 'empty so far'),
    folderFact('data cache', at('data', 'cache'), 'empty so far'),
    ...(process.env.HF_HOME ? [folderFact('HF_HOME', path.resolve(process.env.HF_HOME), 'not there yet')]
      : fs.existsSync(path.join(os.homedir(), '.cache', 'huggingface')) ? [{ name: 'Hugging Face', value: path.join(os.homedir(), '.cache', 'huggingface'), state: 'note' }] : []),
    folderFact('Scenes', at('data', 'scenes'), 'not here'),
    flickr8k(),
  ];
}
