/** A number's nearest value in bfloat16, by its bits; of two equally near ones that with an even last bit. */
export function nearestBfloat16(value: number): number {
  if (Number.isNaN(value)) return NaN;
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  const odd = (bits[0] >>> 16) & 1;
  bits[0] = ((bits[0] + 0x7fff + odd) & 0xffff0000) >>> 0;
  return new Float32Array(bits.buffer)[0];
}
