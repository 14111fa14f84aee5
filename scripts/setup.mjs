// Sets up everything from a fresh clone and does nothing on a second run: npm packages, .venv with JupyterLab and TensorFlow's
// libraries, tfjs-node-gpu's addon built against them, the compiled library, the notebook kernel (inside .venv only).
// Plain JavaScript on Node's own modules, because it runs before anything is installed.
//   node scripts/setup.mjs [--quiet]      CAPTIONING_DEVICE=cpu|cuda, PYTHON and CXX override what it picks
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { acquireLock } from './setup/lock.mjs';
import { checkNode, checkPlatform, chooseDevice, findPython } from './setup/machine.mjs';
import { at, hash, logFile, newest, read, root, run, SetupError, step, writeWhole } from './setup/steps.mjs';

const quiet = process.argv.includes('--quiet');
let worked = false;
const say = (line) => console.log(line);
const once = async (...args) => { worked = (await step(...args, say)) || worked; };

const venv = at('.venv');
const python = path.join(venv, 'bin', 'python');
const pip = (what, ...args) => run(what, python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...args]);

async function installPackages() {
  const key = hash(read(at('package-lock.json')), read(at('package.json')), read(at('lib/package.json')), process.platform, process.arch);
  await once('npm packages', at('node_modules', '.setup-packages'), key, () => run('npm ci', 'npm', ['ci', '--no-progress', '--loglevel=error']));
}

async function installPython() {
  const stamp = path.join(venv, '.setup-venv');
  // An environment remembers its absolute path, and its interpreter may have been upgraded away: both mean a new one.
  const usable = () => { try { execFileSync(python, ['-c', 'import pip'], { stdio: 'ignore' }); return true; } catch { return false; } };
  if (read(stamp) === root && !usable()) fs.rmSync(stamp, { force: true });
  if (read(stamp) !== root) {
    const { executable, version } = findPython();
    await once(`Python environment in .venv (${executable}, ${version})`, stamp, root, async () => {
      fs.rmSync(venv, { recursive: true, force: true });
      await run('python -m venv', executable, ['-m', 'venv', venv]);
    });
  }
  await once('JupyterLab', path.join(venv, '.setup-jupyter'), hash(read(at('requirements.txt'))), () => pip('pip install jupyterlab', '-r', at('requirements.txt')));
}

async function installTensorFlow() {
  const { device, why } = chooseDevice();
  const requirements = at(`requirements-${device}.txt`);
  // --no-deps: only TensorFlow's shared libraries and headers are used, none of its Python.
  await once(`TensorFlow's libraries for ${device.toUpperCase()} (${why})`, path.join(venv, '.setup-tensorflow'), `${device} ${hash(read(requirements))}`, () =>
    pip('pip install tensorflow', '--no-deps', '--no-compile', '-r', requirements));
}

async function buildAddon() {
  const tensorflow = path.join(execFileSync(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], { encoding: 'utf8' }).trim(), 'tensorflow');
  const addon = at('node_modules', '@tensorflow', 'tfjs-node-gpu');
  const target = path.join(addon, 'lib', 'napi-v8', 'tfjs_binding.node');
  const stamp = path.join(addon, '.setup-addon');
  if (!fs.existsSync(target)) fs.rmSync(stamp, { force: true });
  const compiler = process.env.CXX || 'g++';
  await once(`tfjs-node-gpu's addon (${compiler})`, stamp, hash(read(path.join(addon, 'package.json')), read(path.join(venv, '.setup-tensorflow')), tensorflow), async () => {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    await run(compiler, compiler, ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION',
      `-I${at('node_modules/node-api-headers/include')}`, `-I${addon}`, `-I${tensorflow}/include`,
      `${addon}/binding/tfjs_backend.cc`, `${addon}/binding/tfjs_binding.cc`, '-o', `${target}.tmp`,
      `-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${tensorflow}`]);
    fs.renameSync(`${target}.tmp`, target);
  });
}

async function buildLibrary() {
  const stamp = at('lib', 'dist', '.setup-library');
  await once('the library (lib/dist)', stamp, `${newest(at('lib'))} ${read(at('node_modules', '.setup-packages'))}`, () =>
    run('tsc -p lib', process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', 'lib']));
}

/** What `tslab install` would write, with our starter and absolute paths; Jupyter outside .venv never sees it. */
function registerKernel() {
  const file = path.join(venv, 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json');
  const spec = {
    argv: [process.execPath, at('scripts/kernel/tslab-kernel.cjs'), '--config-path', '{connection_file}'],
    display_name: 'TypeScript (captioning)',
    language: 'typescript',
    metadata: { debugger: false },
  };
  const text = `${JSON.stringify(spec, null, 2)}\n`;
  if (read(file) === text) return;
  writeWhole(file, text);
  // No news pop-up and no request to the internet when JupyterLab opens.
  writeWhole(path.join(venv, 'share', 'jupyter', 'lab', 'settings', 'overrides.json'),
    `${JSON.stringify({ '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } }, null, 2)}\n`);
  say('- the notebook kernel (in .venv only)');
  worked = true;
}

let release = () => {};
try {
  checkNode();
  checkPlatform();
  release = await acquireLock(at('.setup.lock'), say);
  fs.writeFileSync(logFile, '');
  const start = Date.now();
  await installPackages();
  await installPython();
  await installTensorFlow();
  await buildAddon();
  await buildLibrary();
  registerKernel();
  if (worked) say(`Set-up done in ${((Date.now() - start) / 1000).toFixed(0)} s.`);
  else if (!quiet) say('Set-up: nothing to do.');
} catch (error) {
  if (error instanceof SetupError) {
    if (error.output) console.error(error.output.trim().split('\n').slice(-25).map((line) => `  | ${line}`).join('\n'));
    console.error(`✗ Set-up stopped: ${error.message}`);
  } else if (['EACCES', 'EROFS', 'EPERM', 'ENOSPC'].includes(error.code)) {
    console.error(`✗ Set-up stopped: ${error.path ?? root} cannot be written (${error.code}): ${error.code === 'ENOSPC' ? 'free some disk space' : 'give yourself write access to this folder'} and run it again.`);
  } else {
    console.error(`✗ Set-up stopped unexpectedly: ${error.stack}`);
  }
  process.exitCode = 1;
} finally {
  release();
}
