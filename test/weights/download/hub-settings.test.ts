import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inProject } from '../../../lib/project';
import { hubCacheFolder, hubSettings } from '../../../lib/weights/download/hub-settings';

const none = { HF_TOKEN_PATH: '/nowhere/token' };

describe('settings of the hub', () => {
  it('keep files in the project unless Python\'s variables say otherwise', () => {
    assert.equal(hubCacheFolder({}), inProject('weights', 'cache'));
    assert.equal(hubCacheFolder({ HF_HOME: '/a/b' }), '/a/b/hub');
    assert.equal(hubCacheFolder({ HF_HOME: '~/x' }), path.join(os.homedir(), 'x', 'hub'));
    assert.equal(hubCacheFolder({ HF_HOME: '$BASE/${SUB}', BASE: '/base', SUB: 'sub' }), '/base/sub/hub');
    assert.equal(hubCacheFolder({ HF_HOME: '/a', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }), '/new');
    assert.equal(hubCacheFolder({ HF_HOME: '/a', HUGGINGFACE_HUB_CACHE: '/old' }), '/old');
  });

  it('take options before the environment', () => {
    const { endpoint, token, cache, offline } = hubSettings({}, none);
    assert.deepEqual([endpoint.href, token, cache, offline], ['https://huggingface.co/', undefined, inProject('weights', 'cache'), false]);
    const env = { ...none, HF_ENDPOINT: 'https://mirror.example/hf', HF_TOKEN: 'one' };
    assert.deepEqual([hubSettings({}, env).endpoint.href, hubSettings({}, env).token], ['https://mirror.example/hf', 'one']);
    const options = { endpoint: 'https://other.example', token: 'two', cache: '/c' };
    assert.deepEqual([hubSettings(options, env).endpoint.href, hubSettings(options, env).token, hubSettings(options, env).cache],
      ['https://other.example/', 'two', '/c']);
  });

  it('are offline on Python\'s words for yes', () => {
    for (const value of ['1', 'true', 'TRUE', 'on', 'Yes']) assert.ok(hubSettings({}, { ...none, HF_HUB_OFFLINE: value }).offline, value);
    for (const value of ['', '0', 'false', 'no']) assert.ok(!hubSettings({}, { ...none, HF_HUB_OFFLINE: value }).offline, value);
    assert.equal(hubSettings({}, { ...none, TRANSFORMERS_OFFLINE: '1' }).offline, true);
    assert.equal(hubSettings({ offline: true }, none).offline, true);
  });

  it('find the token that Python\'s log-in stored, unless told not to', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'token-'));
    try {
      fs.writeFileSync(path.join(folder, 'token'), 'hf_stored\n');
      assert.equal(hubSettings({}, { HF_HOME: folder }).token, 'hf_stored');
      assert.equal(hubSettings({}, { HF_TOKEN_PATH: path.join(folder, 'token') }).token, 'hf_stored');
      assert.equal(hubSettings({}, { XDG_CACHE_HOME: path.dirname(folder), HF_HOME: folder, HF_TOKEN: 'given' }).token, 'given');
      assert.equal(hubSettings({}, { HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token, undefined);
    } finally { fs.rmSync(folder, { recursive: true }); }
  });

  it('send a token in the clear to this machine only', () => {
    for (const endpoint of ['http://localhost:8000', 'http://127.0.0.1:8000', 'http://[::1]:8000', 'https://x.example']) {
      assert.equal(hubSettings({ endpoint, token: 'hf_x' }, none).token, 'hf_x');
    }
    for (const endpoint of ['http://x.example', 'http://localhost.x.example', 'http://127.0.0.1.x.example', 'http://10.0.0.1']) {
      assert.throws(() => hubSettings({ endpoint, token: 'hf_x' }, none), /is not https.*leave out the token/);
      assert.equal(hubSettings({ endpoint }, none).endpoint.protocol, 'http:');
    }
  });
});
