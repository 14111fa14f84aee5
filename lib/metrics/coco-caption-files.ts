import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { readable } from '../excerpt';

/**
 * Captions by image id, read from files in the format of the COCO caption task (cocodataset.org/#format-data,
 * #format-results).
 */
export interface CocoCaptions {
  references: Record<string, string[]>;
  candidates: Record<string, string>;
}

/** A file that cannot be scored: the message names the file, the place in it, and what was expected. */
export class CaptionFileError extends Error {
  override name = 'CaptionFileError';
  constructor(message: string, options?: ErrorOptions) { super(readable(message), options); }
}

/** COCO's own files have 80 MB; this is what one JavaScript string can hold. */
const MOST_BYTES = 2 ** 28;
/** No caption is longer; some rules of the tokenizer take time with the square of the length. */
const MOST_CHARACTERS = 10_000;
const MOST_LISTED = 5;

const imageId = z.union([z.number().int(), z.string().min(1)], { error: 'expected an image id (a whole number or a string)' });
const caption = z
  .string({ error: (issue) => `expected a caption (a string), got ${kindOf(issue.input)}` })
  .max(MOST_CHARACTERS, { error: `expected a caption of at most ${MOST_CHARACTERS} characters` });
const row = z.object({ image_id: imageId, caption }, { error: 'expected an object with image_id and caption' });

const referenceFile = z.object(
  {
    images: z.array(z.object({ id: imageId }, { error: 'expected an object with an id' }), { error: 'expected a list of images' }).optional(),
    annotations: z.array(row, { error: 'expected a list of captions, each {"image_id": …, "caption": …}' }),
  },
  { error: 'expected an object with "images" and "annotations", as in captions_val2014.json' },
);
const candidateFile = z.array(row, { error: 'expected a list of captions, each {"image_id": …, "caption": …}' });

/**
 * Read references (`{images: [{id}], annotations: [{image_id, caption}]}`) and candidates (`[{image_id, caption}]`), plain or
 * gzipped, and see that each image has one candidate and at least one reference. Ids 7 and "7" are the same image.
 *
 * @throws CaptionFileError
 */
export function readCocoCaptions(referencePath: string, candidatePath: string): CocoCaptions {
  const { images, annotations } = parse(referencePath, referenceFile);
  const rows = parse(candidatePath, candidateFile);

  const references = new Map<string, string[]>();
  images?.forEach(({ id }, index) => {
    if (references.has(String(id))) throw new CaptionFileError(`${referencePath}: images[${index}]: image ${id} is listed twice`);
    references.set(String(id), []);
  });
  annotations.forEach((annotation, index) => {
    const id = String(annotation.image_id);
    const captions = references.get(id);
    if (captions) captions.push(annotation.caption);
    else if (images) throw new CaptionFileError(`${referencePath}: annotations[${index}]: image ${id} is not in the list "images"`);
    else references.set(id, [annotation.caption]);
  });
  if (references.size === 0) throw new CaptionFileError(`${referencePath}: no images: expected at least one with its captions`);
  const bare = [...references].filter(([, captions]) => captions.length === 0).map(([id]) => id);
  if (bare.length > 0) throw new CaptionFileError(`${referencePath}: ${list(bare)} without a caption in "annotations": expected at least one`);

  const candidates = new Map<string, string>();
  const firstRow = new Map<string, number>();
  rows.forEach((candidate, index) => {
    const id = String(candidate.image_id);
    const earlier = firstRow.get(id);
    if (earlier !== undefined) {
      throw new CaptionFileError(`${candidatePath}: [${index}]: image ${id} has a candidate already, at [${earlier}]: expected one an image`);
    }
    if (!references.has(id)) throw new CaptionFileError(`${candidatePath}: [${index}]: image ${id} is not in ${referencePath}`);
    firstRow.set(id, index);
    candidates.set(id, candidate.caption);
  });
  const missing = [...references.keys()].filter((id) => !candidates.has(id));
  if (missing.length > 0) {
    throw new CaptionFileError(
      `${candidatePath}: ${list(missing)} of ${referencePath} without a candidate: expected one for each. ` +
        'To score a part of the images, leave the others out of the references.',
    );
  }
  return { references: Object.fromEntries(references), candidates: Object.fromEntries(candidates) };
}

function parse<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  let json: unknown;
  const text = readText(path);
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CaptionFileError(`${path}: not JSON: ${(error as Error).message}`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { issues } = result.error;
  const lines = issues.slice(0, MOST_LISTED).map((issue) => `${path}: ${place(issue.path)}${issue.message}`);
  if (issues.length > MOST_LISTED) lines.push(`… and ${issues.length - MOST_LISTED} more`);
  throw new CaptionFileError(lines.join('\n'));
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new CaptionFileError(`${path}: ${size} bytes: expected a file of captions of at most ${MOST_BYTES}`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof CaptionFileError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'is a folder: expected a file',
      EACCES: 'may not be read',
    };
    throw new CaptionFileError(`${path}: ${(code && reasons[code]) || message}`);
  }
  // The file name may say anything: gzip is known by its first two bytes.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
    } catch (error) {
      const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      const problem = tooLarge ? `unpacks to more than ${MOST_BYTES} bytes` : `damaged: ${(error as Error).message}`;
      throw new CaptionFileError(`${path}: gzip file ${problem}`);
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CaptionFileError(`${path}: not UTF-8 text: expected JSON, plain or gzipped`);
  }
}

function place(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  return `${path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`)).join('')}: `;
}

function list(ids: string[]): string {
  const named = ids.slice(0, MOST_LISTED).join(', ');
  return `${ids.length} image${ids.length > 1 ? 's' : ''} (${named}${ids.length > MOST_LISTED ? ', …' : ''})`;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
