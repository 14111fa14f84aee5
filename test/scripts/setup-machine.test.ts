import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Machine {
  checkPlatform(machine: { platform?: string; arch?: string; folder?: string }): void;
  checkLibraries(machine: { glibc?: string; flags?: string }): void;
  checkDisk(steps: { size?: () => number }[], free: { bavail: number; bsize: number }): void;
  chooseDevice(wish?: string): { device: string; why: string };
  findDevice(machine: { arch?: string; driver: boolean; smi?: () => string }): { device: string; why: string };
  findPython(wish?: string): { executable: string; version: string };
  findCompiler(wish?: string): string[];
}
const load = (): Promise<Machine> => import(pathToFileURL(path.resolve(__dirname, '../../scripts/setup/machine.mjs')).href);

describe('set-up: the machine', () => {
  let machine: Machine;
  before(async () => { machine = await load(); });

  it('takes 64-bit Linux and says where else to go', () => {
    machine.checkPlatform({ platform: 'linux', arch: 'x64', folder: '/home/a b/ü, 1' });
    machine.checkPlatform({ platform: 'linux', arch: 'arm64', folder: '/x' });
    assert.throws(() => machine.checkPlatform({ platform: 'win32', arch: 'x64' }), /WSL2/);
    assert.throws(() => machine.checkPlatform({ platform: 'darwin', arch: 'arm64' }), /darwin-arm64 is not supported.*container/);
    assert.throws(() => machine.checkPlatform({ platform: 'linux', arch: 'ia32' }), /linux-ia32/);
    assert.throws(() => machine.checkPlatform({ platform: 'linux', arch: 'x64', folder: '/a:b' }), /rename it/);
  });

  it('refuses musl and a processor without AVX', () => {
    machine.checkLibraries({ glibc: '2.36', flags: 'fpu avx avx2' });
    assert.throws(() => machine.checkLibraries({ glibc: '', flags: 'avx' }), /no glibc/);
    assert.throws(() => machine.checkLibraries({ glibc: '2.36', flags: 'fpu sse4_2 avx_vnni' }), /no AVX/);
  });

  it('adds up the room its steps need', () => {
    const steps = [{ size: () => 1000 }, {}, { size: () => 500 }];
    machine.checkDisk(steps, { bavail: 1500, bsize: 1e6 });
    assert.throws(() => machine.checkDisk(steps, { bavail: 1499, bsize: 1e6 }), /needs about 1\.5 GB .* 1\.5 GB are free/);
    machine.checkDisk([], { bavail: 0, bsize: 1e6 });
  });

  it('chooses CUDA for a driver that answers and is new enough, and says why not otherwise', () => {
    const found = (driver: boolean, smi: () => string, arch = 'x64') => machine.findDevice({ arch, driver, smi });
    assert.deepEqual(found(true, () => 'NVIDIA H200, 570.124.06\nNVIDIA H200, 570.124.06\n'), { device: 'cuda', why: 'NVIDIA H200, NVIDIA driver 570.124.06' });
    assert.deepEqual(found(true, () => 'Tesla K80, 470.82.01'), { device: 'cpu', why: 'Tesla K80, but its driver 470.82.01 is older than 525, which CUDA 12 needs' });
    for (const answer of [() => '', () => 'No devices were found', () => { throw new Error('spawn ENOENT'); }]) {
      assert.deepEqual(found(true, answer), { device: 'cpu', why: 'NVIDIA driver files found, but nvidia-smi does not answer' });
    }
    assert.equal(found(false, () => 'NVIDIA H200, 570.1').device, 'cpu');
    assert.match(found(true, () => 'NVIDIA GH200, 570.1', 'arm64').why, /no CUDA build .* arm64/);
  });

  it('lets CAPTIONING_DEVICE win and refuses other words', () => {
    assert.deepEqual(machine.chooseDevice('cpu'), { device: 'cpu', why: 'CAPTIONING_DEVICE=cpu' });
    assert.throws(() => machine.chooseDevice('gpu'), /CAPTIONING_DEVICE=gpu is not known: use cpu or cuda/);
  });

  it('says what is wrong with a PYTHON or CXX that was asked for', () => {
    assert.throws(() => machine.findPython('/nowhere/python3'), /PYTHON=\/nowhere\/python3 does not run/);
    assert.throws(() => machine.findCompiler('/nowhere/g++ -m64'), /CXX=\/nowhere\/g\+\+ -m64 does not run/);
  });
});
