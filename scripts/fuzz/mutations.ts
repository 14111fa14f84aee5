/** Small damage to files: what bad disks, cut downloads, careless programs and people with bad intentions leave. */
import type { Random } from '../../lib/random';

const pick = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)];

/** Text that goes into JSON as it stands. */
class Raw { constructor(readonly text: string) {} }

type Json = null | boolean | number | string | Raw | Json[] | JsonObject;
/** Pairs in order, so that a key can be there twice. */
class JsonObject { constructor(readonly pairs: [string, Json][]) {} }

/** Numbers at the edges of what formats and machines can say; the last is beyond any of them. */
const NUMBERS: readonly Json[] = [0, -1, 1, 2, 0.5, -0.5, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2,
  1e30, 1e308, -1e308,
  5e-324, new Raw('-0'), new Raw('1e999'), new Raw('-1e999')];
const NAMES = ['', ' ', '\0', '__proto__', 'constructor', 'toString', 'length', '..', '../out', '/etc/passwd', 'C:\\x', 'a\\b', 'null',
  'NaN', '1e5', '%s%n',
  '\ud800', 'e\u0301', '\u202e', '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '(a+)+$', '{{ range(1000000000) }}',
    '\x1b[2J', '１'];

/** Cases are many and small; a larger one stays as it was. */
const MOST_BYTES = 2 ** 20;

const deep = (random: Random): Raw => {
  const depth = pick(random, [100, 20_000]), [open, close] = pick(random, [['[', ']'], ['{"a":', '}']]);
  return new Raw(`${open.repeat(depth)}${open === '[' ? '' : '0'}${close.repeat(depth)}`);
};

function extreme(random: Random): Json {
  switch (random.integer(8)) {
    case 0: case 1: case 2: return pick(random, NUMBERS);
    case 3: case 4: return pick(random, NAMES);
    case 5: return 'x'.repeat(pick(random, [1000, 100_000]));
    case 6: return pick<Json>(random, [null, true, false, [], new JsonObject([])]);
    default: return deep(random);
  }
}

function ordered(value: unknown): Json {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value as Json;
  return new JsonObject(Object.entries(value).map(([key, inner]) => [key, ordered(inner)]));
}

function format(value: Json): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(format).join(',')}]`;
  if (value instanceof JsonObject) return `{${value.pairs.map(([key, inner]) => `${JSON.stringify(key)}:${format(inner)}`).join(',')}}`;
  return JSON.stringify(value);
}

/** A place in a document: its parent and its position there. */
type Place = { parent: Json[] | JsonObject; at: number };

function placesIn(value: Json): Place[] {
  const children = Array.isArray(value) ? value : value instanceof JsonObject ? value.pairs.map(([, inner]) => inner) : [];
  const parent = value as Json[] | JsonObject;
  return children.flatMap((child, at) => [{ parent, at }, ...placesIn(child)]);
}

const valueAt = ({ parent, at }: Place): Json => (Array.isArray(parent) ? parent[at] : parent.pairs[at][1]);
function putAt({ parent, at }: Place, value: Json): void {
  if (Array.isArray(parent)) parent[at] = value;
  else parent.pairs[at][1] = value;
}

const copyOf = (value: Json): Json => (Array.isArray(value) ? value.map(copyOf)
  : value instanceof JsonObject ? new JsonObject(value.pairs.map(([key, inner]) => [key, copyOf(inner)])) : value);

/** JSON with one to three values or keys changed; bytes where it is none. */
export function mutateJson(bytes: Buffer, random: Random): Buffer {
  let document: Json;
  try { document = ordered(JSON.parse(bytes.toString())); } catch { return mutateBytes(bytes, random); }
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const places = placesIn(document);
    if (places.length === 0) return Buffer.from(format(extreme(random)));
    const place = pick(random, places), { parent, at } = place;
    switch (random.integer(8)) {
      case 0: case 1: case 2: putAt(place, extreme(random)); break;
      case 3: (Array.isArray(parent) ? parent : parent.pairs).splice(at, 1); break;
      case 4: if (parent instanceof JsonObject) parent.pairs.push([parent.pairs[at][0], random.integer(2) ? extreme(random)
        : valueAt(place)]); break;
      case 5: if (parent instanceof JsonObject) parent.pairs[at][0] = pick(random, NAMES); break;
      case 6: putAt(place, copyOf(valueAt(pick(random, places.filter((other) => other.parent === parent))))); break;
      default: {
        const value = valueAt(place), many = format(value).length < 200 ? 500 : 2;
        const copies = Array.from({ length: pick(random, [1, 2, many]) }, () => copyOf(value));
        if (Array.isArray(parent)) parent.splice(at, 0, ...copies);
        else putAt(place, [...copies]);
      }
    }
  }
  const changed = format(document);
  return changed.length > MOST_BYTES ? bytes : Buffer.from(changed);
}

/** What means something in lists, tables and templates, and what does not belong in text. */
const SNIPPETS = [',', '"', '""', '\n', '\r\n', '\t', ';', '|', '#', ' ', '\0', '\ufeff', '\u2028', '\u0085', "'", '\\', '[', ']', '{', '}',
  '{{', '{%', '%}', '-1', '1e999',
  ...NAMES.filter((name) => name.length > 0)];

/** Lines and characters of a text doubled, dropped, swapped and put in; now and then bytes that are no UTF-8. */
export function mutateText(bytes: Buffer, random: Random): Buffer {
  let text = bytes.toString();
  for (let times = 1 + random.integer(4); times > 0; times--) {
    const lines = text.split('\n'), at = random.integer(lines.length), place = random.integer(text.length + 1);
    switch (random.integer(7)) {
      case 0: lines.splice(at, 1); text = lines.join('\n'); break;
      case 1: lines.splice(at, 0, pick(random, lines)); text = lines.join('\n'); break;
      case 2: lines[at] = lines[at].repeat(pick(random, [2, Math.ceil(200_000 / (lines[at].length + 1))])); text = lines.join('\n'); break;
      case 3: text = text.slice(0, place); break;
      case 4: return mutateBytes(Buffer.from(text), random);
      default: text = text.slice(0, place) + pick(random, SNIPPETS).repeat(pick(random, [1, 1, 2,
        1000])) + text.slice(place + random.integer(3));
    }
  }
  return text.length > MOST_BYTES ? bytes : Buffer.from(text);
}

const LENGTHS = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 40n, (1n << 53n) - 1n,
  1n << 62n, (1n << 64n) - 1n];

/** Bits flipped, lengths overwritten, pieces cut, moved and doubled. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes);
  for (let times = 1 + random.integer(4); times > 0; times--) {
    const at = random.integer(out.length + 1), length = Math.min(out.length - at, 1 + random.integer(32));
    switch (random.integer(7)) {
      case 0: case 1: if (at < out.length) out[at] ^= 1 << random.integer(8); break;
      case 2: if (at < out.length) out[at] = pick(random, [0, 1, 0x7f, 0x80, 0xff]); break;
      case 3: {
        const width = pick(random, [1, 2, 4, 8]), field = Buffer.alloc(8);
        field.writeBigUInt64LE(pick(random, LENGTHS));
        const written = random.integer(2) ? field.subarray(0, width) : Buffer.from(field.subarray(0, width)).reverse();
        written.copy(out, Math.min(at, Math.max(0, out.length - width)));
        break;
      }
      case 4: out = out.subarray(0, at); break;
      case 5: out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]); break;
      default: {
        const from = random.integer(out.length + 1);
        out = Buffer.concat([out.subarray(0, at), out.subarray(from, from + length), out.subarray(at)]);
      }
    }
  }
  return out;
}

/** By what the file's name says it is. */
export function mutateFile(name: string, bytes: Buffer, random: Random): Buffer {
  if (name.endsWith('.json')) return random.integer(6) ? mutateJson(bytes, random) : mutateText(bytes, random);
  if (name.endsWith('.jsonl')) return mutateLines(bytes, random);
  if (/\.(csv|txt|vocab|jinja)$/.test(name)) return mutateText(bytes, random);
  return mutateBytes(bytes, random);
}

/** One line's JSON, or the text of all. */
function mutateLines(bytes: Buffer, random: Random): Buffer {
  if (random.integer(3) === 0) return mutateText(bytes, random);
  const lines = bytes.toString().split('\n'), at = random.integer(lines.length);
  lines[at] = mutateJson(Buffer.from(lines[at]), random).toString();
  return Buffer.from(lines.join('\n'));
}
