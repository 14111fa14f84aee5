/** JupyterLab as `npm run lab` starts it, seen by strangers; it needs .venv (npm run setup). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { python } from '../../scripts/notebooks/environment';
import { Lab } from '../browser/jupyterlab';

/** Addresses that the machine listens on at a port, as Linux lists them: hexadecimal, least byte first. */
const listeners = (port: number): string[] => ['/proc/net/tcp', '/proc/net/tcp6'].filter((file) => fs.existsSync(file))
  .flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').slice(1).map((line) => line.trim().split(/\s+/)))
  .filter(([, local, , state]) => state === '0A' && parseInt(local.split(':')[1], 16) === port).map(([, local]) => local.split(':')[0]);

describe('JupyterLab', function suite() {
  this.timeout(90_000);
  let lab: Lab, port: number;
  before(async function () {
    if (!fs.existsSync(python)) return this.skip();
    lab = await Lab.start();
    port = Number(new URL(lab.origin).port);
  });
  after(() => lab?.stop());

  const status = (headers: Record<string, string>, path = '/api/contents'): Promise<number> => new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path, headers }, (response) => resolve(response.resume().statusCode!)).on('error', reject);
  });
  const known = () => ({ authorization: `token ${lab.token}` });

  it('listens on the loopback address alone', function () {
    if (!fs.existsSync('/proc/net/tcp')) return this.skip();
    assert.deepEqual(listeners(port), ['0100007F']);
  });

  it('answers who knows its token, and no one else', async () => {
    assert.equal(await status(known()), 200);
    for (const authorization of ['', 'token ', `token ${'0'.repeat(32)}`, 'Basic Og==']) {
      for (const place of ['/api/contents', '/api/kernels', '/files/package.json']) {
        const answer = await status(authorization ? { authorization } : {}, place);
        assert.ok([302, 403].includes(answer), `${place} with "${authorization}": ${answer}`);
      }
    }
  });

  it('answers to no other name, which a page of a stranger could have led to this machine', async () => {
    assert.equal(await status({ ...known(), host: `rebound.example:${port}` }), 403);
    assert.equal(await status({ ...known(), host: `localhost:${port}` }), 200);
  });
});
