/** The body of a request, within limits, and the refusals that a server answers with. */
import type { IncomingMessage } from 'node:http';

/** What a request is answered with instead of what it asked for: an HTTP status and a sentence that says what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(readonly status: number, message: string, readonly headers: Record<string, string> = {}) { super(message); }
}

export interface BodyLimits {
  maxBytes: number;
  /** For the whole of it. */
  milliseconds: number;
}

const tooLarge = (maxBytes: number): Refusal =>
  new Refusal(413, `The picture has more than ${formatMegabytes(maxBytes)}: send a smaller one.`);

export const formatMegabytes = (bytes: number): string => `${Number((bytes / 1e6).toPrecision(2))} MB`;

/** Throws before anything is read where the length that is announced is too large. */
export function refuseAnnounced({ headers }: IncomingMessage, { maxBytes }: BodyLimits): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/**
 * All bytes of a body.
 *
 * @throws Refusal 413 as soon as there are more than `maxBytes`, 408 when it does not come in time, 400 when it is cut off
 */
export function readBody(request: IncomingMessage, { maxBytes, milliseconds }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) end(() => reject(tooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(() => resolve(Buffer.concat(chunks)));
    const onClose = (): void => end(() => reject(new Refusal(400, 'The picture was cut off: send it again.')));
    const late = new Refusal(408, `The picture did not come within ${milliseconds / 1000} s: send it again, or a smaller one.`);
    const timer = setTimeout(() => end(() => reject(late)), milliseconds);
    // 'close' follows the 'error' of a connection that breaks.
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', () => {});
  });
}
