/**
 * A captioner behind HTTP, for one's own machine: `GET /` is a page, `POST /caption` takes a picture's bytes and answers with JSON.
 * One picture at a time goes through the network; few may wait; nothing is stored. There is no password: it is meant for the loopback
 * interface, where a web page open in the same browser is the stranger to keep out. So the Host header must be an address or a name
 * that no foreign name server can point here (DNS rebinding), and requests of other sites' pages are refused by their Origin.
 */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Captioner } from '../captioners';
import { decodeImage, ImageError, type RgbImage } from '../images';
import { captionPage, PAGE_POLICY } from './caption-page';
import { readBody, Refusal, refuseAnnounced } from './request-body';

export interface ServerLimits {
  /** Of a picture's file. */
  maxBytes: number;
  /** Of a picture. */
  maxPixels: number;
  /** Requests with a picture that are in hand at a time: the one that is captioned, those that wait, those still being read. */
  maxInHand: number;
  /** For a body to come in. */
  bodyMilliseconds: number;
  /** For a picture's turn to come. */
  waitMilliseconds: number;
  /** Beams that a request may ask for. */
  maxBeams: number;
}

export const serverLimits: ServerLimits = {
  maxBytes: 20e6, maxPixels: 50e6, maxInHand: 8, bodyMilliseconds: 20_000, waitMilliseconds: 60_000, maxBeams: 10,
};

export interface CaptionServerOptions {
  /** What the page calls the captioner. */
  name: string;
  /** Of requests that do not say; default: the captioner's own. */
  numBeams?: number;
  /** A name under which the server may be asked, beside `localhost` and addresses. */
  host?: string;
  limits?: Partial<ServerLimits>;
  /** What failed within the server; requests that were refused are not told. */
  onError?: (error: Error) => void;
}

export interface CaptionServer {
  /** To be told to listen. */
  server: Server;
  /** Takes no more requests, ends what is being captioned, and resolves when all connections are closed. */
  stop(): Promise<void>;
}

const MOST_CONNECTIONS = 64;
/** For a client to take its answer, and to end what it sends, before its connection is cut; in ms. */
const GRACE = 2000, STOP_GRACE = 10_000;
const HEADER_MILLISECONDS = 10_000;
const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };
const HOW = 'POST a picture\'s bytes to /caption, such as curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" ADDRESS/caption';

/** Serves a captioner, which stays the caller's to dispose after `stop`. */
export function captionServer(captioner: Captioner, { name, numBeams, host, limits, onError }: CaptionServerOptions): CaptionServer {
  const most = { ...serverLimits, ...limits }, page = captionPage(name, { numBeams, maxBytes: most.maxBytes, maxBeams: most.maxBeams });
  let inHand = 0, stopping = false, last: Promise<unknown> = Promise.resolve();

  /** One after the other, in order of arrival. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  const captionOf = async (request: IncomingMessage, response: ServerResponse, beams: number | undefined): Promise<object> => {
    const arrived = performance.now();
    if (request.headers.expect) response.writeContinue();
    const bytes = await readBody(request, { maxBytes: most.maxBytes, milliseconds: most.bodyMilliseconds });
    return inTurn(async () => {
      if (stopping) throw new Refusal(503, 'The server is being stopped.');
      if (request.socket.destroyed) throw new Refusal(400, 'Nobody waits for the answer.');
      if (performance.now() - arrived > most.waitMilliseconds + most.bodyMilliseconds) throw busy();
      const start = performance.now(), image = await decode(bytes, most.maxPixels);
      const options = { batchSize: 1, ...(beams && { numBeams: beams }) };
      const [{ text, score, logProbability, words }] = await captioner.caption([image], options);
      const seconds = Number(((performance.now() - start) / 1000).toFixed(3)), { width, height } = image;
      return { text, score, logProbability, words, numBeams: beams ?? null, width, height, seconds };
    });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Answer> => {
    refuseStrangers(request, host);
    const url = urlOf(request), { method } = request;
    if (url.pathname === '/') {
      allow(method, ['GET', 'HEAD']);
      return { status: 200, text: page, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': PAGE_POLICY } };
    }
    if (url.pathname !== '/caption') throw new Refusal(404, `There is no ${url.pathname}: GET / is the page; ${HOW}.`);
    allow(method, ['POST']);
    const beams = beamsOf(url.searchParams, most.maxBeams) ?? numBeams;
    refuseOtherTypes(request.headers['content-type']);
    refuseAnnounced(request, { maxBytes: most.maxBytes, milliseconds: most.bodyMilliseconds });
    if (stopping || inHand >= most.maxInHand) throw busy();
    inHand++;
    try { return json(200, await captionOf(request, response, beams)); } finally { inHand--; }
  };

  const refuse = (error: Error): Answer => {
    if (error instanceof Refusal) return json(error.status, { error: error.message }, error.headers);
    onError?.(error);
    return json(500, { error: 'The picture could not be captioned; the server\'s terminal says why.' });
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => {});
    void answer(request, response).catch(refuse).then((answered) => {
      // Asked before the stop and answered after it, the connection would stay open for more.
      if (stopping) response.setHeader('Connection', 'close');
      send(request, response, answered);
    });
  };
  const server = createServer({
    headersTimeout: HEADER_MILLISECONDS, requestTimeout: most.bodyMilliseconds + HEADER_MILLISECONDS, connectionsCheckingInterval: GRACE,
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', handle).on('checkContinue', handle);
  return {
    server,
    stop: () => new Promise((resolve) => {
      stopping = true;
      const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE);
      server.close(() => {
        clearTimeout(cut);
        // The network must not be taken away from under a picture whose client has left.
        void last.then(() => resolve());
      });
      server.closeIdleConnections();
    }),
  };
}

const busy = (): Refusal => new Refusal(503, 'Too many pictures are waiting: send it again in some seconds.', { 'Retry-After': '5' });

interface Answer { status: number; text: string; headers: OutgoingHttpHeaders }

const json = (status: number, value: object, headers: OutgoingHttpHeaders = {}): Answer =>
  ({ status, text: `${JSON.stringify(value)}\n`, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers } });

function send(request: IncomingMessage, response: ServerResponse, { status, text, headers }: Answer): void {
  const body = Buffer.from(text);
  response.writeHead(status, { ...HEADERS, 'Content-Length': body.length, ...headers }).end(request.method === 'HEAD' ? undefined : body);
  // A body that was refused is not read to its end, however long it is; but cut off at once, its sender would not see the answer.
  if (request.complete) return;
  const cut = setTimeout(() => request.socket.destroy(), GRACE).unref();
  request.once('end', () => clearTimeout(cut)).resume();
}

/** Whether a Host header names this machine in a way that no foreign name server can bring about. */
export function isOwnHost(header: string | undefined, own = 'localhost'): boolean {
  const name = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header ?? '')?.slice(1).find(Boolean)?.toLowerCase();
  return name !== undefined && (isIP(name) > 0 || name === 'localhost' || name === own.toLowerCase());
}

function refuseStrangers({ headers: { host, origin } }: IncomingMessage, own: string | undefined): void {
  if (!isOwnHost(host, own)) throw new Refusal(403, 'The Host header is none of this server\'s: use the address that it printed.');
  if (origin !== undefined && origin.toLowerCase() !== `http://${host!.toLowerCase()}`) {
    throw new Refusal(403, 'Pages of other sites may not ask this server.');
  }
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  try { return new URL(`http://localhost${url}`); } catch { throw new Refusal(400, 'The address cannot be read.'); }
}

function allow(method: string | undefined, methods: readonly string[]): void {
  if (!methods.includes(method ?? '')) throw new Refusal(405, `Use ${methods.join(' or ')} here.`, { Allow: methods.join(', ') });
}

function beamsOf(query: URLSearchParams, most: number): number | undefined {
  const [stranger] = [...query.keys()].filter((key) => key !== 'numBeams'), given = query.getAll('numBeams');
  if (stranger !== undefined) throw new Refusal(400, `There is no parameter ${JSON.stringify(stranger)}: expected numBeams, or none.`);
  if (given.length === 0) return undefined;
  const value = Number(given[0]);
  if (given.length === 1 && /^\d+$/.test(given[0]) && value >= 1 && value <= most) return value;
  throw new Refusal(400, `numBeams is ${JSON.stringify(given.join(','))}: expected a whole number from 1 to ${most}.`);
}

/** What a picture is its bytes tell; but forms and texts are never one, and programs such as curl say so by default. */
function refuseOtherTypes(type: string | undefined): void {
  if (type === undefined || /^(image\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i.test(type)) return;
  throw new Refusal(415, `Content-Type is ${JSON.stringify(type)}: expected image/… or application/octet-stream. ${HOW}.`);
}

const PROBLEM_STATUS = { 'not a picture': 415, 'too large': 413, damaged: 400 } as const;

async function decode(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
  if (bytes.length === 0) throw new Refusal(400, `There is no picture in the request: ${HOW}.`);
  try { return await decodeImage(bytes, { maxPixels }); } catch (error) {
    if (!(error instanceof ImageError) || !error.problem) throw error;
    const pixels = `The picture has more than ${maxPixels / 1e6} million pixels: make it smaller.`;
    const reason = `${error.reason[0].toUpperCase()}${error.reason.slice(1)}`;
    throw new Refusal(PROBLEM_STATUS[error.problem], error.problem === 'too large' ? pixels : reason);
  }
}
