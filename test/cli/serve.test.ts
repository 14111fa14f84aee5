import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { serve } from '../../lib/cli/serve';
import { loadScenes } from '../../lib/datasets';
import { tensorCount } from '../../lib/engine';

const MAIN = resolve(__dirname, '../../lib/cli/main.ts');

/** Starts `captioning …` from source, in a process of its own. */
function captioning(...args: string[]) {
  const script = `require(${JSON.stringify(MAIN)}).main(process.argv)`;
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), '-e', script, 'captioning', ...args]);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.stderr += text; });
  return { child, said, ended: once(child, 'close') as Promise<[code: number | null]> };
}

describe('captioning serve', function suite() {
  this.timeout(120_000);

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`says where it is, captions, and ends with 0 at ${signal}`, async () => {
      const { child, said, ended } = captioning('serve', 'blip-scenes', '--port', '0', '--json', '--num-beams', '2');
      await Promise.race([once(child.stdout, 'data'), ended]);
      assert.equal(said.stderr, '');
      const { url, model, pid } = JSON.parse(said.stdout) as { url: string; model: string; pid: number };
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
      assert.deepEqual([model, pid], ['blip-scenes', child.pid]);
      const [{ image }] = loadScenes().split('test').records;
      const answer = await fetch(`${url}caption`, { method: 'POST', body: readFileSync(image) });
      const { text, numBeams } = await answer.json() as { text: string; numBeams: number };
      assert.deepEqual([answer.status, typeof text, numBeams], [200, 'string', 2]);
      child.kill(signal);
      const [code] = await ended;
      assert.deepEqual([code, said.stderr], [0, '']);
    });
  }

  it('says why it cannot listen, and gives the captioner back', async () => {
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const { port } = taken.address() as AddressInfo, tensors = tensorCount();
    try {
      await assert.rejects(serve('blip-scenes', { port }), new RegExp(`port ${port} is in use: name another by --port`));
      const foreign = serve('blip-scenes', { port: 0, host: '203.0.113.7' });
      await assert.rejects(foreign, /--host 203\.0\.113\.7: this machine has no such address/);
      await assert.rejects(serve('no-such-captioner', { port: 0 }), /no-such-captioner/);
    } finally {
      taken.close();
    }
    assert.equal(tensorCount(), tensors);
  });

  it('ends with 2 for a wrong command line', async () => {
    for (const args of [['serve'], ['serve', 'x', '--port', '70000'], ['serve', 'x', '--num-beams', '0']]) {
      const [code] = await captioning(...args).ended;
      assert.equal(code, 2, args.join(' '));
    }
  });
});
