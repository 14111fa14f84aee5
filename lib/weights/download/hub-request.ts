/** One request to the hub: redirects followed by hand, so that the token stays with the hub and nothing leaves https unasked. */
import * as http from 'node:http';
import * as https from 'node:https';
import { HubError, printableText, printableUrl, UnreachableError } from './hub-error';
import type { HubSettings } from './hub-settings';

const MAX_REDIRECTS = 10;
/** Milliseconds without a byte after which a connection counts as cut. */
const SILENCE = 30_000;

/** A failure that another try may mend: a cut, a server that is overloaded or restarting. */
export class PassingError extends Error {
  override name = 'PassingError';
  /** @param retryAfter seconds that the server asked to wait. */
  constructor(message: string, readonly retryAfter?: number) { super(message); }
}

/** What the hub says of a file, on its own answers rather than on those of the storage it redirects to. */
export interface HubHeaders {
  /** `x-repo-commit`. */
  commit?: string;
  /** `x-linked-etag`, else `etag`, without quotes: SHA-256 of a large file, git's SHA-1 of a small one. */
  etag?: string;
  /** `x-linked-size`, else `content-length` of an answer that is the file itself. */
  size?: number;
}

export interface HubAnswer extends HubHeaders {
  url: URL;
  status: number;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
}

export interface HubRequest {
  method?: 'GET' | 'HEAD';
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds; default 30 s. */
  silence?: number;
}

/** An etag without quotes and the mark of a weak one. */
export const plainEtag = (etag: string | undefined): string | undefined => etag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') || undefined;

const wholeNumber = (text: string | string[] | undefined): number | undefined =>
  (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined);

/**
 * Asks for `path` below the endpoint and follows redirects. The answer's body is unread: read it, or destroy it.
 *
 * @throws PassingError when the connection fails or falls silent; HubError when a redirect leads where it must not.
 */
export async function hubRequest(settings: HubSettings, path: string, options: HubRequest = {}): Promise<HubAnswer> {
  const { method = 'GET', headers = {}, silence = SILENCE } = options;
  const first = new URL(`${settings.endpoint.href.replace(/\/$/, '')}${path}`);
  let url = first;
  const said: HubHeaders = {};
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const atHub = url.origin === first.origin;
    const authorization: Record<string, string> = settings.token && atHub ? { authorization: `Bearer ${settings.token}` } : {};
    // A compressed body would have another length and other ranges than the file.
    const common = { 'user-agent': 'captioning', 'accept-encoding': 'identity' };
    const body = await ask(url, method, { ...common, ...headers, ...authorization }, silence);
    const status = body.statusCode ?? 0, location = body.headers.location;
    const isRedirect = status >= 300 && status < 400 && status !== 304 && location !== undefined;
    read(body.headers, atHub && !isRedirect, said);
    const next = isRedirect ? redirectTarget(location, url, settings.endpoint) : undefined;
    // What a HEAD asks for is said by the hub; the storage's signed addresses are often good for a GET only.
    if (!next || (method === 'HEAD' && next.origin !== url.origin)) {
      return accepted({ ...said, url, status: next ? 200 : status, headers: body.headers, body });
    }
    body.destroy();
    url = next;
  }
  throw new HubError(`${printableUrl(first)} redirects more than ${MAX_REDIRECTS} times: the server or mirror is misconfigured.`);
}

/** Notes what one hop says; only the hub's own answer with the file says it by plain `etag` and `content-length`. */
function read(headers: http.IncomingHttpHeaders, isFile: boolean, said: HubHeaders): void {
  const linked = headers['x-linked-etag'], commit = headers['x-repo-commit'];
  if (typeof commit === 'string') said.commit ??= commit;
  said.etag ??= plainEtag(typeof linked === 'string' ? linked : isFile ? headers.etag : undefined);
  said.size ??= wholeNumber(headers['x-linked-size']) ?? (isFile ? wholeNumber(headers['content-length']) : undefined);
}

function accepted(answer: HubAnswer): HubAnswer {
  const coding = answer.headers['content-encoding'];
  if (coding === undefined || coding === 'identity') return answer;
  answer.body.destroy();
  throw new HubError(`${printableUrl(answer.url)} is sent compressed (${printableText(coding)}) although that was declined: `
    + 'a proxy on the way changes it.');
}

/** Where a redirect leads; http only when the endpoint itself is http. */
export function redirectTarget(location: string, from: URL, endpoint: URL): URL {
  let url: URL;
  try { url = new URL(location, from); } catch { throw new HubError(`${printableUrl(from)} redirects to what is no address.`); }
  const allowed = url.protocol === 'https:' || (url.protocol === 'http:' && endpoint.protocol === 'http:');
  if (!allowed) throw new HubError(`${printableUrl(from)} redirects to ${url.protocol}//${url.host}, which is not https: refused.`);
  if (url.username || url.password) throw new HubError(`${printableUrl(from)} redirects to an address with a password in it: refused.`);
  return url;
}

function ask(url: URL, method: string, headers: Readonly<Record<string, string>>, silence: number): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const sent = request(url, { method, headers });
    sent.setTimeout(silence, () => sent.destroy(new PassingError(`${url.host} sent nothing for ${silence / 1000} seconds`)));
    sent.once('response', resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => reject(connectionError(error, url)));
    sent.end();
  });
}

/** Certificates and wrong addresses do not mend themselves; the rest of what a connection meets may. */
function connectionError(error: NodeJS.ErrnoException, url: URL): Error {
  const code = error.code ?? '';
  if (code === 'ENOTFOUND') {
    return new UnreachableError(`The name ${url.hostname} is not known here: no network, a network that needs a proxy or a mirror (HF_ENDPOINT), `
      + 'or a mistyped address.');
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return new HubError(`${url.host} does not speak https (${code}): check the address.`);
  if (/CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS/.test(code)) {
    return new HubError(`${url.host} has a certificate that is not trusted (${code}): behind a proxy that opens TLS, `
      + 'name its authority\'s certificate in NODE_EXTRA_CA_CERTS.');
  }
  return error instanceof PassingError ? error : new PassingError(`${url.host}: ${code || printableText(error.message)}`);
}

/** The body as text, no longer than `limit` bytes. */
export async function readText(answer: HubAnswer, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer.body as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > limit) throw new HubError(`${printableUrl(answer.url)} answers with more than the allowed ${limit} bytes.`);
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof HubError ? error : connectionError(error as NodeJS.ErrnoException, answer.url);
  } finally {
    answer.body.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}
