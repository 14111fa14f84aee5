// What this machine is: platform, disk, Python, compiler, GPU.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root, SetupError } from './steps.mjs';

const output = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, PYTHONPATH: '', PYTHONHOME: '' } }).trim();

export function checkPlatform({ platform = process.platform, arch = process.arch, folder = root } = {}) {
  if (platform === 'win32') throw new SetupError('Windows runs this inside WSL2: `wsl --install`, then clone and run there (environment.md, Windows).');
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new SetupError(`${platform}-${arch} is not supported: use 64-bit Linux, WSL2 or a Linux container (environment.md, macOS).`);
  }
  if (/[:\n]/.test(folder)) throw new SetupError(`the folder's name holds a ":" or a line break, which Python environments cannot live with: rename it (${JSON.stringify(folder)}).`);
}

/** musl and a processor without AVX run none of TensorFlow's builds. */
export function checkLibraries({ glibc, flags } = {}) {
  process.report.excludeNetwork = true;
  glibc ??= process.report.getReport().header.glibcVersionRuntime ?? '';
  if (!glibc) throw new SetupError('this Linux has no glibc (Alpine?), which TensorFlow\'s libraries need: use Debian, Ubuntu, Fedora or their containers (`node:22-bookworm`).');
  flags ??= process.arch === 'x64' ? /^flags\s*:(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ' avx ' : ' avx ';
  if (!` ${flags} `.includes(' avx ')) throw new SetupError('this processor (or virtual machine) has no AVX instructions, which TensorFlow\'s libraries need: use another machine, or let the virtual machine pass the host\'s processor through.');
}

/** Enough room for the steps to do, which say their size in MB (measured, with the packages' caches). */
export function checkDisk(steps, free = fs.statfsSync(root)) {
  const needed = steps.reduce((sum, step) => sum + (step.size?.() ?? 0), 0);
  const available = Math.floor((free.bavail * free.bsize) / 1e6);
  if (available < needed) throw new SetupError(`set-up needs about ${(needed / 1000).toFixed(1)} GB in ${root}, and ${(available / 1000).toFixed(1)} GB are free: free some space and run it again.`);
}

const probe = `import sys, sysconfig
try:
  import venv, ensurepip
  has_venv = 'venv'
except ImportError:
  has_venv = ''
kind = sys.implementation.name + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else '') + ('' if sys.maxsize > 2**32 else '-32')
print('%d.%d' % sys.version_info[:2], sys.executable, kind, has_venv, sep='\\n')`;

const remembered = new Map();
const once = (key, find) => remembered.get(key) ?? remembered.set(key, find()).get(key);

/** The first Python that will do, as { executable, version }. PYTHON names one and is then the only candidate. */
export const findPython = (wish = process.env.PYTHON) => once(`python ${wish}`, () => searchPython(wish));

function searchPython(wish) {
  const names = wish ? [wish] : ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  const found = [];
  let bare = '';
  for (const name of names) {
    let answer;
    try { answer = output(name, ['-c', probe]).split('\n'); } catch { continue; }
    const [version, executable, kind, hasVenv] = answer;
    const [major, minor] = version.split('.').map(Number);
    if (major !== 3 || minor < 10) found.push(`${name} is ${version}`);
    else if (kind !== 'cpython') found.push(`${name} is ${kind} ${version}`);
    else if (!hasVenv) bare ||= `${executable} (${version}) has no venv module: \`apt install python${version}-venv\` (Debian/Ubuntu), or set PYTHON=/path/to/another/python3, and run it again.`;
    else return { executable, version };
  }
  if (bare) throw new SetupError(bare);
  if (wish) throw new SetupError(`PYTHON=${wish} ${found.length ? `is ${found[0].split(' is ')[1]}` : 'does not run'}: name a CPython 3.10 or newer, or leave PYTHON out, and run it again.`);
  throw new SetupError(`Python 3.10 or newer was not found (${found.length ? found.join(', ') : `tried ${names.join(', ')}`}): \`apt install python3 python3-venv\` (Debian/Ubuntu), or set PYTHON=/path/to/python3, and run it again.`);
}

/** The C++ compiler's command and first arguments. CXX names one ("clang++", "ccache g++") and is then the only candidate. */
export const findCompiler = (wish = process.env.CXX?.trim()) => once(`compiler ${wish}`, () => searchCompiler(wish));

function searchCompiler(wish) {
  const candidates = wish ? [fs.existsSync(wish) ? [wish] : wish.split(/\s+/)] : [['g++'], ['c++'], ['clang++']];
  for (const candidate of candidates) {
    try { output(candidate[0], [...candidate.slice(1), '--version']); return candidate; } catch { /* not there: try the next */ }
  }
  throw new SetupError(wish
    ? `the C++ compiler of CXX=${wish} does not run: correct CXX, or leave it out to use g++, and run it again.`
    : 'no C++ compiler was found: `apt install g++` (Debian/Ubuntu), `dnf install gcc-c++` (Fedora), or set CXX, and run it again.');
}

const oldestDriver = 525; // the first that runs programs built for CUDA 12

/** CPU or CUDA, and why. A wish in CAPTIONING_DEVICE wins over what is found. */
export function chooseDevice(wish = process.env.CAPTIONING_DEVICE) {
  if (wish === 'cpu' || wish === 'cuda') {
    if (wish === 'cuda' && process.arch !== 'x64') throw new SetupError(`CAPTIONING_DEVICE=cuda: there is no CUDA build of TensorFlow for ${process.arch}; leave it out.`);
    return { device: wish, why: `CAPTIONING_DEVICE=${wish}` };
  }
  if (wish) throw new SetupError(`CAPTIONING_DEVICE=${wish} is not known: use cpu or cuda, or leave it out.`);
  return once('device', () => findDevice());
}

/** Asks the driver; `smi` runs nvidia-smi with its arguments and throws when it does not answer. */
export function findDevice({ arch = process.arch, driver = hasDriver(), smi = nvidiaSmi } = {}) {
  if (arch !== 'x64') return { device: 'cpu', why: `no CUDA build of TensorFlow for ${arch}` };
  if (!driver) return { device: 'cpu', why: 'no NVIDIA driver found' };
  let answer;
  try { answer = smi(['--query-gpu=name,driver_version', '--format=csv,noheader']); } catch { /* said below */ }
  const [name, version] = (answer ?? '').split('\n')[0].split(',').map((part) => part.trim());
  if (!name || !version) return { device: 'cpu', why: 'NVIDIA driver files found, but nvidia-smi does not answer' };
  if (Number.parseInt(version, 10) < oldestDriver) return { device: 'cpu', why: `${name}, but its driver ${version} is older than ${oldestDriver}, which CUDA 12 needs` };
  return { device: 'cuda', why: `${name}, NVIDIA driver ${version}` };
}

// /dev/dxg is how WSL2 shows the GPU of the Windows driver, whose nvidia-smi need not be on the PATH.
const hasDriver = () => fs.existsSync('/proc/driver/nvidia/version') || fs.existsSync('/dev/dxg');
function nvidiaSmi(args) {
  const wsl = path.join('/usr/lib/wsl/lib', 'nvidia-smi');
  try { return output('nvidia-smi', args); } catch { return output(wsl, args); }
}
