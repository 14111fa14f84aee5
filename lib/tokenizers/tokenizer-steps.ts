/**
 * The steps that a tokenizer.json may name (normalizer, pre-tokenizer, post-processor, decoder), checked before any is built: the library
 * that runs them passes over what it does not understand, and the ids are then wrong without a word.
 */
import { z } from 'zod';
import { excerpt } from '../excerpt';

/** One step as tokenizer.json describes it. */
export interface StepConfig { readonly type: string; readonly [key: string]: unknown }

/** Where steps of a kind stand in a Sequence. */
export const NESTED: Readonly<Record<string, string>> = { normalizer: 'normalizers', pre_tokenizer: 'pretokenizers', decoder: 'decoders' };
const DEEPEST = 10;
const LONGEST_PATTERN = 5000;

const flag = z.boolean().optional();
const text = z.string().max(1000);
/** Regular expressions, and texts to be found as they are. */
const pattern = z.union([
  z.strictObject({ String: text }),
  z.strictObject({ Regex: z.string().max(LONGEST_PATTERN).refine((source) => !nestsRepeats(source),
    'repeats a part that repeats, which may take for ever') }),
], 'expected {"Regex": …} or {"String": …}');
const replace = z.looseObject({ pattern, content: text });
const metaspace = z.looseObject({
  replacement: text, prepend_scheme: z.enum(['always', 'first', 'never']).optional(), add_prefix_space: flag, split: flag,
});
const byteLevel = z.looseObject({ add_prefix_space: flag, use_regex: flag, trim_offsets: flag });
const marked = z.tuple([z.string(), z.number().int().nonnegative()]);
const type_id = z.union([z.literal(0), z.literal(1)]);
const piece = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string(), type_id }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(['A', 'B']), type_id }) }),
], 'expected {"SpecialToken": {"id", "type_id"}} or {"Sequence": {"id": "A" or "B", "type_id"}}');
const any = z.looseObject({});
const sequence = (kind: string) => z.looseObject({ [NESTED[kind]]: z.array(z.looseObject({ type: z.string() })) });

/** By kind and type, in the order of the library that tokenizer.json comes from. */
const steps: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  normalizer: {
    Sequence: sequence('normalizer'),
    BertNormalizer: z.looseObject({ clean_text: flag, handle_chinese_chars: flag, strip_accents: z.boolean().nullish(), lowercase: flag }),
    NFC: any, NFD: any, NFKC: any, NFKD: any, Lowercase: any, Replace: replace, Prepend: z.looseObject({ prepend: text }),
  },
  pre_tokenizer: {
    Sequence: sequence('pre_tokenizer'), BertPreTokenizer: any, ByteLevel: byteLevel, Digits: z.looseObject({ individual_digits: flag }),
    Split: z.looseObject({ pattern, behavior: z.string(), invert: flag }), Metaspace: metaspace,
  },
  post_processor: {
    TemplateProcessing: z.looseObject({ single: z.array(piece).max(100), pair: z.array(piece).max(100), special_tokens: z.record(z.string(),
      any) }),
    ByteLevel: byteLevel, BertProcessing: z.looseObject({ sep: marked, cls: marked }), RobertaProcessing: z.looseObject({ sep: marked,
      cls: marked }),
  },
  decoder: {
    Sequence: sequence('decoder'), ByteLevel: byteLevel, WordPiece: z.looseObject({ prefix: text, cleanup: flag }), Metaspace: metaspace,
    Replace: replace, Fuse: any, Strip: z.looseObject({ content: text, start: z.number().int().min(0).max(1000),
      stop: z.number().int().min(0).max(1000) }),
    ByteFallback: any, BPEDecoder: z.looseObject({ suffix: text.optional() }),
  },
};

/** @throws Error naming the file and the step that is malformed or not supported */
export function checkSteps(json: Readonly<Record<string, unknown>>, file: string): void {
  for (const kind of Object.keys(steps)) checkStep(json[kind] as StepConfig | null | undefined, kind, kind, file, 0);
}

export const nestedSteps = (step: StepConfig, kind: string): StepConfig[] => step[NESTED[kind]] as StepConfig[];

function checkStep(step: StepConfig | null | undefined, kind: string, place: string, file: string, depth: number): void {
  if (step === null || step === undefined) return;
  if (!Object.hasOwn(steps[kind], step.type)) {
    throw new Error(`${file}: '${place}' is of type ${excerpt(step.type)}, which is not supported; supported are ${Object.keys(steps[kind]).join(', ')}.`);
  }
  const parsed = steps[kind][step.type].safeParse(step);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new Error(`${file}: '${[place, ...path].join('.')}': ${message}.`);
  }
  if (step.type === 'Sequence') {
    if (depth === DEEPEST) throw new Error(`${file}: '${kind}' has more than ${DEEPEST} sequences one inside the other: write them as one.`);
    nestedSteps(step, kind).forEach((inner, i) => checkStep(inner, kind, `${place}.${NESTED[kind]}.${i}`, file, depth + 1));
  }
  const split = kind === 'pre_tokenizer' && step.type === 'Split';
  // The library splits in these two ways only.
  if (split && !(step.invert ? step.behavior === 'Removed' : step.behavior === 'Isolated' || step.behavior === 'Removed')) {
    const inverted = step.invert ? ', inverted' : '';
    throw new Error(`${file}: '${place}' splits with behavior ${excerpt(String(step.behavior))}${inverted}, which is not supported.`);
  }
}

/**
 * Whether a regular expression repeats, without an upper bound, a group in which something else is repeated so: (a+)+ needs time that
 * doubles with every letter of a text that almost fits. No published tokenizer does.
 */
export function nestsRepeats(source: string): boolean {
  /** Of each open group: whether something in it is repeated. */
  const open: boolean[] = [false];
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const letter = source[at];
    if (letter === '\\') at++;
    else if (inClass) inClass = letter !== ']';
    else if (letter === '[') inClass = true;
    else if (letter === '(') { open.push(false); continue; }
    else if (letter === ')' && open.length > 1) {
      const inside = open.pop()!, isRepeated = /^(?:[*+]|\{\d*,\})/.test(source.slice(at + 1, at + 12));
      if (inside && isRepeated) return true;
      open[open.length - 1] ||= inside;
      continue;
    }
    if (!inClass && /^(?:[*+]|\{\d*,\})/.test(source.slice(at + 1, at + 12))) open[open.length - 1] = true;
  }
  return false;
}
