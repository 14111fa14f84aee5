import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { loadCaptioner, type Caption, type CaptionOptions, type Captioner } from '../../lib/captioners';
import { captionServer, isOwnHost, type CaptionServerOptions } from '../../lib/cli/caption-server';
import { loadScenes } from '../../lib/datasets';
import { tensorCount } from '../../lib/engine';
import { encodeImage, type ImageSource } from '../../lib/images';

interface Answer { status: number; headers: IncomingHttpHeaders; text: string; json: Record<string, unknown> }
interface Ask { path?: string; method?: string; body?: Uint8Array; headers?: Record<string, string> }

/** Says the picture's size, and holds on until it may go on. */
class SlowCaptioner implements Captioner {
  readonly networks = [];
  together = 0;
  most = 0;
  seen = 0;
  readonly beams: (number | undefined)[] = [];
  release: () => void = () => {};
  constructor(readonly held: boolean) {}

  async caption(images: readonly ImageSource[], options: CaptionOptions = {}): Promise<Caption[]> {
    this.most = Math.max(this.most, ++this.together);
    this.seen++;
    this.beams.push(options.numBeams);
    await new Promise<void>((resolve) => { if (this.held) this.release = resolve; else setTimeout(resolve, 5); });
    this.together--;
    const { width, height } = images[0] as { width: number; height: number };
    return [{ text: `<b>${width}×${height}</b>`, tokens: [1], words: ['x'], logProbability: -1, score: -0.5 }];
  }

  save(): void { throw new Error('nothing to save'); }
  dispose(): void { /* nothing */ }
}

/** A server at a free port for the time of `work`. */
async function withServer(
  captioner: Captioner, options: Partial<CaptionServerOptions>,
  work: (ask: (what: Ask) => Promise<Answer>, port: number, server: Server) => Promise<void>,
): Promise<void> {
  const { server, stop } = captionServer(captioner, { name: 'mine <1>', ...options });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = ({ path = '/caption', method = 'POST', body, headers = {} }: Ask) => new Promise<Answer>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part)).on('error', reject).on('end', () => {
        const text = Buffer.concat(parts).toString();
        const json = /json/.test(answer.headers['content-type'] ?? '') && text ? JSON.parse(text) as Record<string, unknown> : {};
        resolve({ status: answer.statusCode!, headers: answer.headers, text, json });
      });
    });
    asked.on('error', reject).end(body);
  });
  try { await work(ask, port, server); } finally { await stop(); }
}

/** Raw bytes to the server; resolves to what comes back before the connection ends. */
async function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => { text += data.toString('latin1'); }).on('error', () => {});
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => { socket.on('close', resolve); });
  return text;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => { setTimeout(resolve, 5); });
}

describe('the caption server', function suite() {
  this.timeout(60_000);
  let small: Buffer;
  before(async () => { small = await encodeImage({ data: new Uint8Array(8 * 6 * 3).fill(90), width: 8, height: 6 }, 'jpeg'); });

  it('says of pictures what the captioner says, one at a time, and leaves no tensor', async () => {
    const captioner = loadCaptioner('blip-scenes');
    try {
      const files = loadScenes().split('test').records.slice(0, 4).map(({ image }) => image);
      const expected = await captioner.caption(files, { numBeams: 2, batchSize: 1 }), tensors = tensorCount();
      await withServer(captioner, { numBeams: 2 }, async (ask) => {
        const answers = await Promise.all(files.map((file) => ask({ body: readFileSync(file) })));
        assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
        assert.deepEqual(answers.map(({ json: { text, words, score } }) => ({ text, words, score })),
          expected.map(({ text, words, score }) => ({ text, words, score })));
        const { json } = await ask({ path: '/caption?numBeams=1', body: readFileSync(files[0]), headers: { 'Content-Type': 'image/png' } });
        const [greedy] = await captioner.caption([files[0]], { numBeams: 1 });
        assert.deepEqual([json.text, json.numBeams, json.width, json.height], [greedy.text, 1, 128, 128]);
      });
      assert.equal(tensorCount(), tensors);
    } finally {
      captioner.dispose();
    }
  });

  it('shows a page that runs its own script alone, with names as text', async () => {
    await withServer(new SlowCaptioner(false), {}, async (ask) => {
      const { status, headers, text } = await ask({ path: '/', method: 'GET' });
      assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, 'text/html; charset=utf-8', 'no-store']);
      assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-/);
      assert.match(text, /Captioner: mine &lt;1&gt;\./);
      assert.ok(!/innerHTML|insertAdjacent|document\.write|https?:\/\//.test(text), 'no text becomes markup, nothing is fetched elsewhere');
      const head = await ask({ path: '/', method: 'HEAD' });
      assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', headers['content-length']]);
    });
  });

  it('refuses what is no picture, in JSON that says what to do', async () => {
    const captioner = new SlowCaptioner(false);
    await withServer(captioner, { limits: { maxBytes: 20_000, maxPixels: 100 } }, async (ask) => {
      const noise = Uint8Array.from({ length: 60 * 60 * 3 }, (_, i) => (i * i * 31) % 251);
      const photograph = await encodeImage({ data: noise, width: 60, height: 60 }, 'jpeg');
      const cases: [Ask, number, RegExp][] = [
        [{ path: '/nothing' }, 404, /There is no \/nothing: GET \/ is the page; POST a picture's bytes/],
        [{ path: '/../../etc/passwd', method: 'GET' }, 404, /There is no \/etc\/passwd/],
        [{ method: 'GET' }, 405, /Use POST here/],
        [{ path: '/', body: small }, 405, /Use GET or HEAD/],
        [{ body: Buffer.alloc(0) }, 400, /no picture in the request/],
        [{ body: Buffer.from('<svg onload=alert(1)>') }, 415, /SVG drawing.*Expected JPEG/],
        [{ body: Buffer.from('%PDF-1.7') }, 415, /a PDF/],
        [{ body: small.subarray(0, small.length - 40) }, 400, /cut short or damaged/],
        [{ body: Buffer.alloc(300) }, 400, /nothing but zeros/],
        [{ body: photograph }, 413, /more than 0\.0001 million pixels/],
        [{ body: Buffer.concat([small, Buffer.alloc(30_000)]) }, 413, /more than 0\.02 MB/],
        [{ body: small, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 415, /expected image\/… or application\//],
        [{ body: small, headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }, 415, /multipart/],
        [{ body: small, path: '/caption?numBeams=0' }, 400, /numBeams is "0": expected a whole number from 1 to 10/],
        [{ body: small, path: '/caption?numBeams=1e9' }, 400, /numBeams/],
        [{ body: small, path: '/caption?numBeams=2&numBeams=3' }, 400, /numBeams is "2,3"/],
        [{ body: small, path: '/caption?beams=2' }, 400, /no parameter "beams"/],
        [{ body: small, headers: { Host: 'rebound.example:8080' } }, 403, /Host header/],
        [{ body: small, headers: { Origin: 'https://elsewhere.example' } }, 403, /other sites/],
        [{ body: small, headers: { Origin: 'null' } }, 403, /other sites/],
      ];
      for (const [what, status, message] of cases) {
        const answer = await ask(what);
        assert.equal(answer.status, status, `${JSON.stringify({ ...what, body: undefined })}: ${answer.text}`);
        assert.match(String(answer.json.error), message);
      }
      assert.equal((await ask({ method: 'PUT', body: small })).headers.allow, 'POST');
      assert.equal(captioner.seen, 0, 'none reached the captioner');
      const { status, json } = await ask({ body: small });
      assert.deepEqual([status, json.text], [200, '<b>8×6</b>']);
    });
  });

  it('takes addresses and its own name for a host, and no other name', () => {
    for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1:8080', '[::1]:9', '192.168.1.7']) assert.ok(isOwnHost(host), host);
    const foreign = [undefined, '', 'evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'localhost:80:80', '[::1', 'a b'];
    for (const host of foreign) assert.equal(isOwnHost(host), false, String(host));
    assert.deepEqual([isOwnHost('lab-pc:8080', 'Lab-PC'), isOwnHost('lab-pc.evil.example', 'lab-pc')], [true, false]);
  });

  it('has few in hand, one in the captioner, and none for whom nobody waits', async () => {
    const captioner = new SlowCaptioner(true);
    await withServer(captioner, { limits: { maxInHand: 3 } }, async (ask, port, server) => {
      let asked = 0, closed = 0;
      server.on('request', () => asked++).on('connection', (socket) => socket.on('close', () => closed++));
      const first = ask({ body: small, path: '/caption?numBeams=1' });
      await until(() => captioner.seen === 1);
      const left = connect(port, '127.0.0.1');
      left.write(`POST /caption?numBeams=9 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${small.length}\r\n\r\n`);
      left.write(small);
      await until(() => asked === 2);
      const last = ask({ body: small, path: '/caption?numBeams=3' });
      await until(() => asked === 3);
      const { status, headers, json } = await ask({ body: small });
      assert.deepEqual([status, headers['retry-after']], [503, '5']);
      assert.match(String(json.error), /Too many pictures are waiting/);
      left.destroy();
      await until(() => closed === 2);
      captioner.release();
      assert.equal((await first).status, 200);
      await until(() => captioner.seen === 2);
      captioner.release();
      assert.equal((await last).status, 200);
      assert.deepEqual([captioner.beams, captioner.most], [[1, 3], 1]);
    });
  });

  it('cuts off bodies that are endless, slow or never come', async () => {
    const captioner = new SlowCaptioner(false), limits = { maxBytes: 20_000, bodyMilliseconds: 150 };
    await withServer(captioner, { limits }, async (ask, port) => {
      const head = 'POST /caption HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n';
      const chunk = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`;
      const [endless, announced, slow, short] = await Promise.all([
        raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n`, chunk.repeat(3)),
        raw(port, `${head}Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n`),
        raw(port, `${head}Content-Length: 500\r\n\r\nfirst bytes`),
        raw(port, `${head}Content-Length: nonsense\r\n\r\n`),
      ]);
      assert.match(endless, /^HTTP\/1\.1 413 .*"error":"The picture has more than 0\.02 MB/s);
      assert.match(announced, /^HTTP\/1\.1 413 /, 'and is not told to go on');
      assert.match(slow, /^HTTP\/1\.1 408 .*did not come within 0\.15 s/s);
      assert.match(short, /^HTTP\/1\.1 400 /);
      const whole = `${head}Connection: close\r\nContent-Length: ${small.length}\r\nExpect: 100-continue\r\n\r\n`;
      const continued = await raw(port, whole, small);
      assert.match(continued, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
      assert.equal((await ask({ body: small })).status, 200);
      assert.equal(captioner.seen, 2);
    });
  });

  it('tells of its own faults on its side only', async () => {
    const errors: Error[] = [], captioner = new SlowCaptioner(false);
    captioner.caption = () => Promise.reject(new Error('no memory at /home/somebody'));
    await withServer(captioner, { onError: (error) => errors.push(error) }, async (ask) => {
      const { status, text } = await ask({ body: small });
      assert.deepEqual([status, /somebody/.test(text)], [500, false]);
      assert.deepEqual(errors.map(({ message }) => message), ['no memory at /home/somebody']);
    });
  });

  it('ends the picture in hand when it is stopped, and refuses those that wait', async () => {
    const captioner = new SlowCaptioner(true), { server, stop } = captionServer(captioner, { name: 'x' });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/caption`, post = { method: 'POST', body: small };
    const first = fetch(address, post);
    await until(() => captioner.seen === 1);
    const asked = once(server, 'request'), second = fetch(address, post);
    await asked;
    const stopped = stop();
    captioner.release();
    assert.deepEqual([(await first).status, (await second).status], [200, 503]);
    await stopped;
    await assert.rejects(fetch(address, post));
  });
});
