import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

type Environment = Record<string, string | undefined>;
interface Python {
  parsePipSettings(listing: string): Record<string, string>;
  pythonEnvironment(env: Environment, settings?: Record<string, string>): Environment;
}
interface Npm { npmEnvironment(env: Environment): Environment }
const load = (name: string) => import(pathToFileURL(path.resolve(__dirname, '../../scripts/setup', name)).href);

describe('set-up: the user\'s settings', () => {
  it('reads pip\'s settings, the environment strongest', async () => {
    const { parsePipSettings } = await load('python-environment.mjs') as Python;
    assert.deepEqual(parsePipSettings([
      ':env:.timeout=\'180\'', 'global.timeout=\'60\'', 'global.index-url=\'https://mirror.example/simple\'',
      'install.index-url="https://it\'s.example/simple"', 'global.find-links=\'\\n/a\\n/b c\'', 'install.user=\'true\'', 'list.format=\'columns\'', 'noise',
    ].join('\n')), { timeout: '180', 'index-url': 'https://it\'s.example/simple', 'find-links': '\n/a\n/b c', user: 'true' });
  });

  it('hands on where packages come from, and nothing about where they go', async () => {
    const { pythonEnvironment } = await load('python-environment.mjs') as Python;
    const env = pythonEnvironment({ HOME: '/h', PYTHONPATH: '/p', PIP_USER: '1', PIP_TARGET: '/t', VIRTUAL_ENV: '/v', HTTPS_PROXY: 'http://proxy' },
      { user: 'true', target: '/t', 'index-url': 'https://mirror.example/simple', timeout: '5' });
    assert.deepEqual(env, {
      HOME: '/h', HTTPS_PROXY: 'http://proxy', PIP_INDEX_URL: 'https://mirror.example/simple', PIP_TIMEOUT: '5', PIP_RETRIES: '3',
      PIP_CONFIG_FILE: '/dev/null', PIP_DISABLE_PIP_VERSION_CHECK: '1', PYTHONNOUSERSITE: '1', PYTHONUTF8: '1',
    });
  });

  it('drops what makes npm install something else, keeps registry, proxy and the user\'s patience', async () => {
    const { npmEnvironment } = await load('npm-packages.mjs') as Npm;
    const env = npmEnvironment({
      NODE_ENV: 'production', npm_config_omit: 'dev', NPM_CONFIG_PRODUCTION: 'true', 'npm_config_dry-run': 'true', npm_config_workspace: 'lib',
      npm_config_registry: 'https://mirror.example/', npm_config_cache: '/c', NPM_CONFIG_FETCH_RETRIES: '7', PATH: '/bin',
    });
    assert.equal(env.NPM_CONFIG_FETCH_RETRIES, '7');
    assert.equal(env.npm_config_fetch_retries, undefined);
    assert.equal(env.npm_config_registry, 'https://mirror.example/');
    assert.equal(env.npm_config_cache, '/c');
    assert.equal(env.PATH, '/bin');
    assert.ok(Number(env.npm_config_fetch_timeout) <= 60_000);
    for (const name of ['NODE_ENV', 'npm_config_omit', 'NPM_CONFIG_PRODUCTION', 'npm_config_dry-run', 'npm_config_workspace']) assert.ok(!(name in env), name);
  });
});
