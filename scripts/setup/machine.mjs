// What this machine is: Node, platform, Python, GPU.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { SetupError } from './steps.mjs';

const output = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return;
  throw new SetupError(`Node ${version} is too old: install Node 20.19 or newer (20, 22 and 24 are tested), for example with \`nvm install 22\`.`);
}

export function checkPlatform(platform = process.platform, arch = process.arch) {
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) return;
  throw new SetupError(platform === 'win32'
    ? 'Windows runs this inside WSL2: `wsl --install`, then clone and run there (environment.md, Windows).'
    : `${platform}-${arch} is not supported yet: use Linux, WSL2 or a Linux container (environment.md, macOS).`);
}

export function findPython(wish = process.env.PYTHON) {
  const names = wish ? [wish] : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  for (const name of names) {
    try {
      const [version, executable] = output(name, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)']).split('\n');
      const [major, minor] = version.split('.').map(Number);
      if (major === 3 && minor >= 10) return { executable, version };
    } catch { /* not there: try the next name */ }
  }
  throw new SetupError(`Python 3.10 or newer was not found (tried ${names.join(', ')}): \`apt install python3 python3-venv\` (Debian/Ubuntu), or set PYTHON=/path/to/python3.`);
}

/** CPU or CUDA, and why. A wish in CAPTIONING_DEVICE wins over what is found. */
export function chooseDevice(wish = process.env.CAPTIONING_DEVICE) {
  if (wish === 'cpu' || wish === 'cuda') return { device: wish, why: `CAPTIONING_DEVICE=${wish}` };
  if (wish) throw new SetupError(`CAPTIONING_DEVICE=${wish} is not known: use cpu or cuda, or leave it out.`);
  if (process.arch !== 'x64') return { device: 'cpu', why: `no CUDA build of TensorFlow for ${process.arch}` };
  // /dev/dxg is how WSL2 shows the Windows driver's GPU.
  if (fs.existsSync('/proc/driver/nvidia/version') || fs.existsSync('/dev/dxg')) {
    try {
      const [gpu] = output('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader']).split('\n');
      if (gpu) return { device: 'cuda', why: `NVIDIA driver found, ${gpu}` };
    } catch { return { device: 'cpu', why: 'NVIDIA driver files found, but nvidia-smi does not answer' }; }
  }
  return { device: 'cpu', why: 'no NVIDIA driver found' };
}
