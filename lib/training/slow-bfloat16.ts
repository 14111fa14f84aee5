import { hasFastBfloat16 } from '../engine';

let said = false;

/** Says once that training in bfloat16 gains no time on this machine, if so. */
export function warnOfSlowBfloat16(): void {
  if (said || hasFastBfloat16()) return;
  said = true;
  console.warn('This processor has no bfloat16 instructions (AVX-512 BF16 or AMX): training in bfloat16 is slower here than in float32.');
}
