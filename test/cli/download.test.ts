import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checkpointRegistry } from '../../lib/weights/registry';
import { bytes, faults, hubWithCheckpoint, sha256, type FakeHub } from '../weights/download/fake-hub';

const MAIN = path.resolve(__dirname, '../../lib/cli/main.ts');
const SCRIPT = `require(${JSON.stringify(MAIN)}).main(process.argv).then(() => {
  const heavy = Object.keys(require.cache).filter((file) => /tensorflow|tfjs|sharp/.test(file));
  if (heavy.length > 0) process.stderr.write('loaded ' + heavy[0]);
})`;

interface Run { status: number | null; signal: string | null; stdout: string; stderr: string }

describe('captioning download', function suite() {
  this.timeout(60_000);
  let hub: FakeHub, home: string;
  beforeEach(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-download-'));
    hub = await hubWithCheckpoint();
  });
  afterEach(async () => {
    await hub.stop();
    fs.rmSync(home, { recursive: true, force: true });
  });

  /** Runs `captioning download …` from source, as lib/bin/captioning.cjs does from lib/dist. */
  function start(args: readonly string[], environment: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Run> } {
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: home, HF_HOME: home, HF_ENDPOINT: hub.endpoint, ...environment };
    const node = ['--require', require.resolve('tsx/cjs'), '-e', SCRIPT, 'captioning'];
    const child = spawn(process.execPath, [...node, 'download', ...args], { env });
    const run: Run = { status: null, signal: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => { run.stdout += data.toString(); });
    child.stderr.on('data', (data: Buffer) => { run.stderr += data.toString(); });
    return { child, ended: new Promise((resolve) => { child.on('close', (status, signal) => resolve({ ...run, status, signal })); }) };
  }
  const captioning = (args: readonly string[], environment?: Record<string, string>) => start(args, environment).ended;
  const folder = () => path.join(home, 'hub', 'models--someone--net', 'snapshots', hub.commit);
  const weights = () => hub.files.get('model.safetensors')!.content;
  const isWhole = () => assert.equal(fs.readFileSync(path.join(folder(), 'model.safetensors')).equals(weights()), true);

  it('prints the folder, and in a pipe a plain line a file', async () => {
    const { status, stdout, stderr } = await captioning(['someone/net']);
    assert.deepEqual([status, stdout], [0, `${folder()}\n`]);
    assert.deepEqual(stderr.split('\n'), [
      `someone/net at ${hub.commit}: 4 files, 305 kB`,
      '  config.json · 22 B', '  tokenizer.json · 5 kB', '  vocab.json · 8 B', '  model.safetensors · 300 kB', '',
    ]);
    isWhole();
    const again = await captioning(['someone/net']);
    assert.deepEqual([again.status, again.stdout], [0, stdout]);
    assert.match(again.stderr, /305 kB, 0 B to come\n {2}config\.json · 22 B · was here\n/);
  });

  it('prints JSON with --json, and the cache alone with --offline', async () => {
    const online = await captioning(['someone/net', '--json', '--revision', hub.commit]);
    const result = JSON.parse(online.stdout) as { folder: string; commit: string; files: { path: string; checksum: { hex: string } }[] };
    assert.deepEqual([result.folder, result.commit], [folder(), hub.commit]);
    assert.equal(result.files.at(-1)!.checksum.hex, sha256(weights()));
    const asked = hub.asked.length;
    const offline = await captioning(['someone/net', '--offline', '--revision', hub.commit]);
    assert.deepEqual(offline, { status: 0, signal: null, stdout: `${folder()}\n`, stderr: '' });
    const absent = await captioning(['someone/net'], { HF_HUB_OFFLINE: '1' });
    assert.deepEqual([absent.status, absent.stdout], [1, '']);
    assert.match(absent.stderr, /^captioning: someone\/net at main is not in .*hub, and no server may be asked/);
    assert.equal(hub.asked.length, asked);
  });

  it('takes endpoint and token from options and from the environment, and shows the token nowhere', async () => {
    hub.token = 'hf_verysecret';
    for (const [args, environment] of [
      [['--token', 'hf_verysecret', '--endpoint', hub.endpoint], { HF_ENDPOINT: 'http://127.0.0.1:1' }],
      [[], { HF_TOKEN: 'hf_verysecret' }],
    ] as const) {
      hub.fail('model.safetensors', faults.cutAfter(10));
      const { status, stdout, stderr } = await captioning(['someone/net', ...args], environment);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /cut the connection after 10 bytes; trying again in \d s/);
      assert.equal(/verysecret|signature/.test(stdout + stderr), false);
      fs.rmSync(path.join(home, 'hub'), { recursive: true });
    }
    fs.writeFileSync(path.join(home, 'token'), 'hf_verysecret\n');
    assert.equal((await captioning(['someone/net'])).status, 0);
    fs.writeFileSync(path.join(home, 'token'), 'hf_othersecret\n');
    const refused = await captioning(['someone/net']);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.match(refused.stderr, /^captioning: someone\/net was not found .*the token is not valid/);
    assert.equal(refused.stderr.includes('secret'), false);
  });

  it('goes on after it was killed', async () => {
    hub.fail('model.safetensors', faults.slow(10_000, 30));
    const { child, ended } = start(['someone/net']);
    const part = path.join(home, 'hub', 'models--someone--net', 'blobs', `${sha256(weights())}.incomplete`);
    while ((fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0) < 50_000) await new Promise((resolve) => { setTimeout(resolve, 10); });
    child.kill('SIGKILL');
    assert.equal((await ended).signal, 'SIGKILL');
    const arrived = fs.statSync(part).size;
    assert.equal(arrived >= 50_000 && arrived < 300_000, true);
    assert.equal(fs.existsSync(path.join(folder(), 'model.safetensors')), false);
    const { status, stderr } = await captioning(['someone/net']);
    assert.equal(status, 0, stderr);
    isWhole();
    assert.equal(hub.gets('model.safetensors').at(-1)!.range, `bytes=${arrived}-`);
    assert.match(stderr, /kB to come/);
    assert.deepEqual(fs.readdirSync(path.join(home, 'hub', '.locks', 'models--someone--net')), []);
  });

  it('lets two processes at once fetch each file once', async () => {
    hub.put('model.safetensors', bytes(1_000_000, 77), true);
    hub.fail('model.safetensors', faults.slow(20_000, 40));
    const runs = await Promise.all([captioning(['someone/net']), captioning(['someone/net'])]);
    assert.deepEqual(runs.map(({ status }) => status), [0, 0], runs.map(({ stderr }) => stderr).join());
    isWhole();
    assert.equal(hub.gets('model.safetensors').length, 1);
    assert.match(runs.map(({ stderr }) => stderr).join(), /another process is downloading model\.safetensors: waiting for it/);
    assert.equal(fs.readdirSync(path.join(home, 'hub', 'models--someone--net', 'blobs')).every((name) => !name.includes('incomplete')), true);
  });

  it('lists the registry, with what is here', async () => {
    const at = path.join(home, 'hub', 'models--openai-community--gpt2');
    fs.mkdirSync(path.join(at, 'snapshots', hub.commit), { recursive: true });
    fs.mkdirSync(path.join(at, 'refs'));
    fs.writeFileSync(path.join(at, 'refs', 'main'), hub.commit);
    for (const name of ['config.json', 'model.safetensors']) fs.writeFileSync(path.join(at, 'snapshots', hub.commit, name), '');
    const table = await captioning(['--list']), json = await captioning(['--list', '--json']);
    assert.equal(table.stderr, '');
    assert.match(table.stdout, /^✓ {2}gpt2 +551 MB {2}openai-community\/gpt2 +MIT$/m);
    assert.match(table.stdout, /^ {3}vit-small +88\.3 MB {2}WinKawaks\/vit-small-patch16-224 +Apache-2\.0$/m);
    assert.equal(table.stdout.split('\n').length, checkpointRegistry.length + 3);
    const rows = JSON.parse(json.stdout) as { name: string; folder: string | null }[];
    assert.equal(rows.find(({ name }) => name === 'gpt2')!.folder, path.join(at, 'snapshots', hub.commit));
    assert.equal(rows.find(({ name }) => name === 'vit-base')!.folder, null);
  });

  it('ends with 1 when it fails and with 2 when the command line is wrong', async () => {
    const unknown = await captioning(['vit-smol']);
    assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /^captioning: There is no checkpoint "vit-smol" in the registry/);
    for (const args of [[], ['gpt2', '--list'], ['gpt2', 'gpt2'], ['--nonsense']]) {
      const { status, stdout, stderr } = await captioning(args);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
      assert.notEqual(stderr, '');
    }
  });
});
