/**
 * A pickle machine (https://docs.python.org/3/library/pickletools.html) that can only build dicts, lists, tuples, numbers, texts and what
 * its owner offers under a few names. Nothing is imported, looked up or called: a global outside the owner's list ends the reading.
 */
import { WeightsError } from './stored-dtype';

/** Python's dict and OrderedDict are a Map, list and tuple an array, None is null, int beyond 2⁵³ a bigint. */
export type Pickled = null | boolean | number | bigint | string | Uint8Array | Pickled[] | Map<Pickled, Pickled> | PickleGlobal | object;

/** What a name of Python's stands for here. */
export class PickleGlobal {
  /** @param call what calling it gives; absent for names that are only passed about. */
  constructor(readonly name: string, readonly call?: (args: Pickled[]) => Pickled) {}
}

export interface UnpicklerHost {
  /** File, for messages. */
  readonly file: string;
  /** The meaning of a global; undefined refuses it. */
  global(name: string): PickleGlobal | undefined;
  /** What a persistent id stands for. */
  persistent(id: Pickled): Pickled;
}

/** Objects a pickle may make, and things it may keep on its stack and in its memo. A tensor takes about a dozen of each. */
const MOST_OBJECTS = 2_000_000;
const mark = Symbol('mark');

/** Reads one pickle from `bytes` at `start`; `end` is where the next one begins. */
export function unpickle(bytes: Buffer, start: number, host: UnpicklerHost): { value: Pickled; end: number } {
  const fail = (what: string): never => { throw new WeightsError(`${host.file}: ${what}. The file is damaged or holds more than tensors.`); };
  const stack: (Pickled | typeof mark)[] = [];
  const memo = new Map<number, Pickled>();
  let at = start, objects = 0;

  const take = (count: number): number => {
    if (!(count >= 0 && count <= bytes.length - at)) fail(`its pickle ends early, at byte ${at}`);
    at += count;
    return at - count;
  };
  const u1 = () => bytes[take(1)], u2 = () => bytes.readUInt16LE(take(2)), u4 = () => bytes.readUInt32LE(take(4));
  const u8 = () => {
    const n = bytes.readBigUInt64LE(take(8));
    return n > BigInt(bytes.length) ? fail('a text longer than the file') as never : Number(n);
  };
  const text = (count: number) => {
    const from = take(count);
    return bytes.toString('utf8', from, from + count);
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0 || end - at > 1000) fail(`its pickle has no line end after byte ${at}`);
    const value = bytes.toString('utf8', at, end);
    at = end + 1;
    return value;
  };
  const long = (count: number): number | bigint => {
    if (count > 255) fail(`a number of ${count} bytes`);
    const from = take(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]);
    if (count && bytes[from + count - 1] & 0x80) value -= 1n << BigInt(8 * count);
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  };
  const push = (value: Pickled | typeof mark) => {
    if (typeof value === 'object' && value !== null) objects++;
    if (stack.length >= MOST_OBJECTS || objects > MOST_OBJECTS) fail(`more than ${MOST_OBJECTS} objects`);
    stack.push(value);
  };
  const pop = (): Pickled => {
    const value = stack.pop();
    return value === undefined || value === mark ? fail(`its pickle takes from an empty stack before byte ${at}`) as never : value;
  };
  const top = (): Pickled => { const value = pop(); stack.push(value); return value; };
  const sinceMark = (): Pickled[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) fail(`its pickle lacks a mark before byte ${at}`);
    const values = stack.slice(from + 1) as Pickled[];
    stack.length = from;
    return values;
  };
  const remember = (key: number) => {
    if (memo.size >= MOST_OBJECTS) fail(`more than ${MOST_OBJECTS} objects`);
    memo.set(key, top());
  };
  const recall = (key: number) => push(memo.has(key) ? memo.get(key)! : fail(`its pickle recalls what it never stored (${key})`));
  const global = (module: Pickled, name: Pickled) => {
    // Only texts: turning a nested list into one may take for ever.
    if (typeof module !== 'string' || typeof name !== 'string') { fail('it names a global by something else than a text'); return; }
    const full = `${module}.${name}`;
    push(host.global(full) ?? fail(`it holds a ${full.slice(0, 200)}, which is not a tensor and is not loaded`) as never);
  };
  const append = (values: Pickled[]) => {
    const target = top();
    if (!Array.isArray(target)) fail(`it appends to what is no list, before byte ${at}`);
    for (const value of values) (target as Pickled[]).push(value);
  };
  const set = (items: Pickled[]) => {
    const target = top();
    if (!(target instanceof Map) || items.length % 2) { fail(`it sets items of what is no dict, before byte ${at}`); return; }
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const dict = (items: Pickled[]) => { push(new Map()); set(items); };
  const call = () => {
    const args = pop(), callee = pop();
    if (callee instanceof PickleGlobal && callee.call && Array.isArray(args)) push(callee.call(args));
    else fail(`it calls what cannot be called here (${callee instanceof PickleGlobal ? callee.name : typeof callee})`);
  };

  for (;;) {
    const code = u1();
    switch (code) {
      case 0x80: { const protocol = u1(); if (protocol > 5) fail(`pickle protocol ${protocol}`); break; }
      case 0x95: take(8); break; // FRAME: only a hint
      case 0x28: push(mark); break;
      case 0x2e: { // STOP
        const value = pop();
        if (stack.length) fail('its pickle leaves values behind');
        return { value, end: at };
      }
      case 0x30: if (stack.pop() === undefined) fail('its pickle takes from an empty stack'); break;
      case 0x31: sinceMark(); break;
      case 0x32: push(top()); break;
      case 0x4e: push(null); break;
      case 0x88: push(true); break;
      case 0x89: push(false); break;
      case 0x4a: push(bytes.readInt32LE(take(4))); break;
      case 0x4b: push(u1()); break;
      case 0x4d: push(u2()); break;
      case 0x8a: push(long(u1())); break;
      case 0x8b: push(long(u4())); break;
      case 0x47: push(bytes.readDoubleBE(take(8))); break;
      case 0x58: push(text(u4())); break;
      case 0x8c: push(text(u1())); break;
      case 0x8d: push(text(u8())); break;
      // Python 2's byte strings: its checkpoints use them for keys.
      case 0x54: push(text(u4())); break;
      case 0x55: push(text(u1())); break;
      case 0x42: { const n = u4(), from = take(n); push(bytes.subarray(from, from + n)); break; }
      case 0x43: { const n = u1(), from = take(n); push(bytes.subarray(from, from + n)); break; }
      case 0x7d: push(new Map()); break;
      case 0x5d: case 0x29: push([]); break;
      case 0x6c: case 0x74: { const values = sinceMark(); push(values); break; }
      case 0x85: push([pop()]); break;
      case 0x86: { const b = pop(), a = pop(); push([a, b]); break; }
      case 0x87: { const c = pop(), b = pop(), a = pop(); push([a, b, c]); break; }
      case 0x64: dict(sinceMark()); break;
      case 0x61: append([pop()]); break;
      case 0x65: append(sinceMark()); break;
      case 0x73: { const value = pop(), key = pop(); set([key, value]); break; }
      case 0x75: set(sinceMark()); break;
      case 0x71: remember(u1()); break;
      case 0x72: remember(u4()); break;
      case 0x94: remember(memo.size); break;
      case 0x68: recall(u1()); break;
      case 0x6a: recall(u4()); break;
      case 0x63: global(line(), line()); break;
      case 0x93: { const name = pop(), module = pop(); global(module, name); break; }
      case 0x51: push(host.persistent(pop())); break;
      case 0x52: case 0x81: call(); break;
      case 0x62: { // BUILD: attributes of a dict (state_dict's _metadata) carry no tensors
        pop();
        if (!(top() instanceof Map)) fail('it sets the state of an object');
        break;
      }
      default: fail(`its pickle has the instruction 0x${code.toString(16).padStart(2, '0')} at byte ${at - 1}, which no file of tensors needs`);
    }
  }
}
