// The machine: system, processor, memory, disk, GPU.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { checkLibraries, checkPlatform, chooseDevice } from '../setup/machine.mjs';
import { root } from '../setup/steps.mjs';

const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
const text = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };

/** What matters to matrix products, of the flags that Linux lists for the processor. */
export function simd(cpuinfo, arch = process.arch) {
  const flags = new Set((/^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '').trim().split(/\s+/));
  const known = arch === 'x64'
    ? { avx: 'AVX', avx2: 'AVX2', fma: 'FMA', avx512f: 'AVX-512', avx512_vnni: 'AVX-512 VNNI', amx_tile: 'AMX' }
    : { asimd: 'NEON', asimddp: 'dot product', sve: 'SVE', sve2: 'SVE2', i8mm: 'int8 matmul' };
  const bf16 = arch === 'x64' ? ['avx512_bf16', 'amx_bf16', 'avx_ne_convert'] : ['bf16', 'svebf16'];
  return { simd: Object.keys(known).filter((flag) => flags.has(flag)).map((flag) => known[flag]), bf16: bf16.filter((flag) => flags.has(flag)) };
}

function attempt(name, check, value) {
  try { check(); return { name, value, state: 'ok' }; } catch (error) { return { name, value, state: 'broken', remedy: error.message }; }
}

export function machineFacts() {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(text('/etc/os-release'))?.[1] ?? os.type();
  const wsl = /microsoft/i.test(os.release()) ? ', WSL' : '';
  const { simd: instructions, bf16 } = simd(text('/proc/cpuinfo'));
  // A container's limit is the memory there is.
  const limit = process.constrainedMemory?.() ?? 0;
  const memory = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  const disk = fs.statfsSync(root);
  const device = (() => { try { return chooseDevice(); } catch (error) { return { error }; } })();
  const facts = [
    attempt('system', () => checkPlatform(), `${system}, ${process.platform}-${process.arch}, kernel ${os.release()}${wsl}`),
    attempt('processor', () => checkLibraries(), `${os.cpus()[0]?.model.trim() ?? 'unknown'}, ${os.availableParallelism()} threads`),
    { name: 'SIMD', value: instructions.join(', ') || 'none known', state: 'note' },
    { name: 'bf16', value: bf16.length ? `in hardware (${bf16.join(', ')})` : 'not in hardware: mixed precision would be slower than float32', state: 'note' },
    { name: 'memory', value: `${gigabytes(memory)}, ${gigabytes(Math.min(os.freemem(), memory))} free${memory < 6e9 ? '; 8 GB are recommended' : ''}`, state: 'note' },
    { name: 'disk', value: `${gigabytes(disk.bavail * disk.bsize)} free`, state: 'note' },
    device.error ? { name: 'device', value: `CAPTIONING_DEVICE=${process.env.CAPTIONING_DEVICE}`, state: 'broken', remedy: device.error.message }
      : { name: 'device', value: `${device.device.toUpperCase()} (${device.why})`, state: 'note' },
  ];
  try {
    const smi = execFileSync('nvidia-smi', ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    for (const line of smi.trim().split('\n')) facts.push({ name: 'GPU', value: line.trim(), state: 'note' });
  } catch { /* no GPU: the device line says so */ }
  return facts;
}
