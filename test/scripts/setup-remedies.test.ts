import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

// [what failed, what it printed (lines as npm 10 and 11, pip 23 to 25, g++ 12 and tsc print them), what the remedy must say]
const cases: [what: string, printed: string, remedy: RegExp][] = [
  ['npm ci', 'npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:9/zod failed', /^the npm registry cannot be reached/],
  ['npm ci', 'npm error code ENOTCACHED\nnpm error request to http://127.0.0.1:9/commander failed: cache mode is \'only-if-cached\'', /^the npm registry cannot be reached/],
  ['npm ci', 'npm error code E404\nnpm error 404  The requested resource \'commander@14.0.3\' could not be found', /does not offer commander@14\.0\.3/],
  ['npm ci', 'npm error code ETARGET\nnpm error notarget No matching version found for zod@4.6.7 with a date before 1/1/2026', /does not offer zod@4\.6\.7 .*min-release-age/],
  ['npm ci', 'npm error code EINTEGRITY\nnpm error sha512-abc integrity checksum failed', /checksum/],
  ['npm ci', 'npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync', /disagree/],
  ['npm ci', 'npm error code EACCES\nnpm error syscall mkdir\nnpm error path /nonexistent\nnpm error errno EACCES', /^\/nonexistent cannot be written.*npm_config_cache/],
  ['npm ci', 'npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write', /disk is full/],
  ['npm ci', 'npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://x/zod failed, reason: self-signed certificate', /NODE_EXTRA_CA_CERTS/],
  ['npm ci', 'npm error code E401\nnpm error Incorrect or missing password.', /refuses access/],
  ['pip install jupyterlab', 'WARNING: Retrying (Retry(total=0)) after connection broken by \'NewConnectionError(...)\': /simple/anyio/\nERROR: Could not find a version that satisfies the requirement anyio==4.16.0 (from versions: none)\nERROR: No matching distribution found for anyio==4.16.0', /^the Python package index cannot be reached/],
  ['pip install tensorflow', 'ERROR: Could not find a version that satisfies the requirement tensorflow-cpu==2.21.0 (from versions: none)\nERROR: No matching distribution found for tensorflow-cpu==2.21.0', /does not offer tensorflow-cpu==2\.21\.0/],
  ['pip install tensorflow', 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.', /checksum/],
  ['pip install tensorflow', 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device', /disk is full/],
  ['pip install jupyterlab', 'Could not fetch URL https://x/simple/anyio/: There was a problem confirming the ssl certificate: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed', /PIP_CERT/],
  ['python -m venv', 'The virtual environment was not created successfully because ensurepip is not available.', /python3-venv/],
  ['g++', 'g++: error: unrecognized command-line option \'-std=c++17\'', /too old/],
  ['g++', 'stderr-hold.cc:5:10: fatal error: node_api.h: No such file or directory', /--fresh/],
  ['g++', '/usr/bin/ld: cannot find -l:libtensorflow_cc.so.2: No such file or directory', /--fresh/],
  ['g++', 'binding.cc:3:10: fatal error: string: No such file or directory', /libc6-dev/],
  ['g++', 'g++: fatal error: Killed signal terminated program cc1plus', /memory ran out/],
  ['tsc -p lib', 'lib/metrics/index.ts(6,29): error TS2307: Cannot find module', /does not compile/],
  ['npm ci', 'something nobody has seen before', /\.setup\.log/],
];

describe('set-up: remedies', () => {
  for (const [what, printed, expected] of cases) {
    it(`${what}: ${printed.split('\n').at(-1)?.slice(0, 80)}`, async () => {
      const { remedyFor } = await import(pathToFileURL(path.resolve(__dirname, '../../scripts/setup/remedies.mjs')).href) as { remedyFor(what: string, output: string): string };
      const remedy = remedyFor(what, printed);
      assert.match(remedy, expected);
      assert.ok(!remedy.includes('\n'), 'one line');
    });
  }

  it('and logs hold no passwords and keys of mirrors', async () => {
    const file = pathToFileURL(path.resolve(__dirname, '../../scripts/setup/remedies.mjs')).href;
    const { withoutCredentials } = await import(file) as { withoutCredentials(output: string): string };
    const printed = 'Looking in https://anna:s3cret@mirror.example/simple and http://t0ken@host:80/x\n'
      + '//r.example/:_authToken=npm_s3cret\n_password = s3cret';
    assert.equal(withoutCredentials(printed),
      'Looking in https://…@mirror.example/simple and http://…@host:80/x\n//r.example/:_authToken=…\n_password = …');
    for (const plain of ['https://registry.example/@types/node', 'npm@10.1.0 anna@example.org', 'file:///a/b@c']) {
      assert.equal(withoutCredentials(plain), plain);
    }
  });
});
