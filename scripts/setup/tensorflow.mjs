// TensorFlow's shared libraries and headers from its Python wheel, and tfjs-node-gpu's addon built against them.
import fs from 'node:fs';
import path from 'node:path';
import { chooseDevice, findCompiler } from './machine.mjs';
import { pipInstall, venv } from './python-environment.mjs';
import { at, hash, read, run, stamped } from './steps.mjs';

// Laid out as site-packages is (tensorflow/ beside nvidia/): the libraries find CUDA's by paths relative to themselves.
const engine = path.join(venv, 'engine');
export const engineStamp = path.join(venv, '.setup-engine');
const tensorflow = path.join(engine, 'tensorflow');
const lockFor = (device) => at('scripts', 'setup', 'python', `tensorflow-${device}.lock`);

export const installTensorFlow = stamped({
  name: 'TensorFlow\'s libraries',
  title() {
    const { device, why } = chooseDevice();
    return `TensorFlow's libraries for ${device.toUpperCase()} (${why})`;
  },
  stamp: engineStamp,
  key() {
    const { device } = chooseDevice();
    return `${device} ${hash(read(lockFor(device)))}`;
  },
  witness: path.join(tensorflow, 'libtensorflow_cc.so.2'),
  size: () => (chooseDevice().device === 'cuda' ? 10500 : 1900),
  check: () => { chooseDevice(); },
  async work() {
    const { device } = chooseDevice();
    const fresh = `${engine}.new`;
    fs.rmSync(fresh, { recursive: true, force: true });
    // Nothing of TensorFlow's Python is used, so the wheel for one Python version serves with every Python.
    try {
      await pipInstall('pip install tensorflow', lockFor(device), {
        args: ['--target', fresh, '--python-version', '3.12', '--implementation', 'cp'],
        hint: device === 'cuda' ? ' CAPTIONING_DEVICE=cpu installs the CPU build instead.' : '',
      });
    } catch (error) {
      fs.rmSync(fresh, { recursive: true, force: true });
      throw error;
    }
    fs.rmSync(engine, { recursive: true, force: true });
    fs.renameSync(fresh, engine);
  },
});

const addon = at('node_modules', '@tensorflow', 'tfjs-node-gpu');
const addonFolder = path.join(addon, 'lib', 'napi-v8');
const binding = path.join(addonFolder, 'tfjs_binding.node');
const holdSource = at('scripts', 'setup', 'stderr-hold.cc');
const addonSources = ['tensorflow-addon.cc', 'kernels.cc', 'few-rows.cc', 'kernel.h'].map((name) => at('scripts', 'setup', name));

export const buildAddon = stamped({
  name: 'tfjs-node-gpu\'s addon',
  title: () => `tfjs-node-gpu's addon (${findCompiler().join(' ')})`,
  stamp: path.join(addon, '.setup-addon'),
  key: () => {
    const sources = [path.join(addon, 'package.json'), engineStamp, holdSource, ...addonSources];
    return hash(...sources.map((source) => read(source)), tensorflow);
  },
  witness: binding,
  check: () => { findCompiler(); },
  async work() {
    const [compiler, ...options] = findCompiler();
    fs.mkdirSync(addonFolder, { recursive: true });
    for (const name of fs.readdirSync(addonFolder)) if (name.endsWith('.tmp')) fs.rmSync(path.join(addonFolder, name));
    const build = async (target, ...args) => {
      const fresh = `${target}.${process.pid}.tmp`;
      try {
        await run(compiler, compiler, [...options, '-std=c++17', '-O3', '-fno-math-errno', '-fno-trapping-math', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION',
          `-I${at('node_modules', 'node-api-headers', 'include')}`, ...args, '-o', fresh]);
        fs.renameSync(fresh, target);
      } finally {
        fs.rmSync(fresh, { force: true });
      }
    };
    await build(path.join(addonFolder, 'stderr_hold.node'), holdSource);
    await build(binding, `-I${addon}`, `-I${path.join(tensorflow, 'include')}`,
      ...addonSources.filter((source) => source.endsWith('.cc')), // the first includes the package's own
      // -Xlinker and not -Wl: a folder's name may hold a comma.
      `-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Xlinker', '-rpath', '-Xlinker', tensorflow);
  },
});
