import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inProject } from '../../lib/project';
import { resolveCheckpoint } from '../../lib/weights';
import { withEnvironment } from '../environment';

const commit = 'a'.repeat(40), other = 'b'.repeat(40);

describe('resolveCheckpoint', () => {
  let folder: string, restore: () => void;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'resolve-'));
    restore = withEnvironment({ HF_HOME: folder, HF_HUB_CACHE: undefined, HUGGINGFACE_HUB_CACHE: undefined, GPT2_DIR: undefined });
  });
  afterEach(() => {
    restore();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const write = (file: string, text = '{}') => {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  };
  const inCache = (repository: string, revision: string, at: string, names: readonly string[]) => {
    const base = `hub/models--${repository.replace('/', '--')}`;
    write(`${base}/refs/${revision}`, at);
    for (const name of names) write(`${base}/snapshots/${at}/${name}`);
    return path.join(folder, base, 'snapshots', at);
  };

  it('finds a committed checkpoint by its name in weights/', () => {
    assert.equal(resolveCheckpoint('mobilenet_v2-scenes'), inProject('weights', 'mobilenet_v2-scenes'));
  });

  it('takes a folder by its path, absolute or in the project', () => {
    assert.equal(resolveCheckpoint(folder), folder);
    assert.equal(resolveCheckpoint('weights/mobilenet_v2-scenes'), inProject('weights', 'mobilenet_v2-scenes'));
    assert.equal(resolveCheckpoint(path.relative(process.cwd(), folder)), folder);
    write('file');
    assert.throws(() => resolveCheckpoint(path.join(folder, 'file')), /file is a file: expected a checkpoint's folder/);
  });

  it('finds what was downloaded, by the registry\'s name and by owner/repository', () => {
    const at = inCache('openai-community/gpt2', 'main', commit, ['config.json', 'model.safetensors']);
    assert.equal(resolveCheckpoint('gpt2'), at);
    assert.equal(resolveCheckpoint('openai-community/gpt2'), at);
    const mine = inCache('someone/net.v1', 'main', commit, ['config.json', 'pytorch_model.bin']);
    assert.equal(resolveCheckpoint('someone/net.v1'), mine);
  });

  it('looks into HF_HUB_CACHE before HF_HOME, with ~ and variables expanded', () => {
    const at = inCache('openai-community/gpt2', 'main', commit, ['config.json', 'model.safetensors']);
    const again = withEnvironment({ HF_HOME: '/nowhere', RESOLVE_TEST: folder, HF_HUB_CACHE: '$RESOLVE_TEST/hub' });
    try { assert.equal(resolveCheckpoint('gpt2'), at); } finally { again(); }
    const home = withEnvironment({ HOME: path.dirname(folder), HF_HOME: undefined, HF_HUB_CACHE: `~/${path.basename(folder)}/hub` });
    try { assert.equal(resolveCheckpoint('gpt2'), at); } finally { home(); }
  });

  it('finds other revisions: a branch with a slash, a commit', () => {
    inCache('openai-community/gpt2', 'main', commit, ['config.json', 'model.safetensors']);
    const at = inCache('openai-community/gpt2', 'refs/pr/3', other, ['config.json', 'model.safetensors']);
    assert.equal(resolveCheckpoint('gpt2', { revision: 'refs/pr/3' }), at);
    assert.equal(resolveCheckpoint('gpt2', { revision: other }), at);
    assert.throws(() => resolveCheckpoint('gpt2', { revision: 'v2' }), /revision v2 in .*npx captioning download gpt2 --revision v2/);
    for (const revision of ['../../x', '/etc', '', 'a//b', '.git', 'a/.b', 'x\n']) {
      assert.throws(() => resolveCheckpoint('gpt2', { revision }), /is no branch, tag or commit/, revision);
    }
  });

  it('follows no reference to what is no commit', () => {
    write('elsewhere/config.json');
    write('elsewhere/model.safetensors');
    inCache('openai-community/gpt2', 'main', commit, ['config.json', 'model.safetensors']);
    write('hub/models--openai-community--gpt2/refs/main', '../../../elsewhere');
    assert.throws(() => resolveCheckpoint('gpt2'), /gpt2 is not here/);
    write('hub/models--openai-community--gpt2/refs/main', `${commit}\n`);
    assert.match(resolveCheckpoint('gpt2'), new RegExp(`${commit}$`));
  });

  it('uses a half download for nothing, and says what is missing', () => {
    inCache('openai-community/gpt2', 'main', commit, ['config.json', 'vocab.json']);
    assert.throws(() => resolveCheckpoint('gpt2'),
      /gpt2 is here in part: .* lacks model\.safetensors\. Complete it: npx captioning download gpt2 \(about 551 MB, licence: MIT\)/);
    inCache('someone/net', 'main', commit, ['model.safetensors']);
    assert.throws(() => resolveCheckpoint('someone/net'), /lacks config\.json/);
    const sharded = inCache('someone/big', 'main', commit, ['config.json', 'model-00001-of-00002.safetensors']);
    fs.writeFileSync(path.join(sharded, 'model.safetensors.index.json'), JSON.stringify({
      weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
    }));
    assert.throws(() => resolveCheckpoint('someone/big'), /lacks model-00002-of-00002\.safetensors/);
    fs.writeFileSync(path.join(sharded, 'model-00002-of-00002.safetensors'), '');
    assert.equal(resolveCheckpoint('someone/big'), sharded);
    fs.rmSync(path.join(sharded, 'model-00002-of-00002.safetensors'));
    fs.symlinkSync('../../blobs/gone', path.join(sharded, 'model-00002-of-00002.safetensors'));
    assert.throws(() => resolveCheckpoint('someone/big'), /lacks model-00002-of-00002\.safetensors/);
  });

  it('lets NAME_DIR say where a checkpoint lies, and minds when it is not there', () => {
    write('elsewhere/config.json');
    const first = withEnvironment({ GPT2_DIR: path.join(folder, 'elsewhere') });
    try { assert.equal(resolveCheckpoint('gpt2'), path.join(folder, 'elsewhere')); } finally { first(); }
    const second = withEnvironment({ GPT2_DIR: path.join(folder, 'wrong') });
    try { assert.throws(() => resolveCheckpoint('gpt2'), /GPT2_DIR names .*wrong, which holds no config\.json/); } finally { second(); }
  });

  it('says which command fetches an absent one, and what it weighs', () => {
    assert.throws(() => resolveCheckpoint('vit-small'), (error: Error) => {
      assert.match(error.message, /vit-small is not here \(looked for .*weights\/vit-small and revision main in .*models--WinKawaks--/);
      assert.match(error.message, /Fetch it: npx captioning download vit-small \(about 88\.3 MB, licence: Apache-2\.0\); or set VIT_S/);
      return true;
    });
    assert.throws(() => resolveCheckpoint('someone/net'), /someone\/net is not here .*Fetch it: npx captioning download someone\/net\.$/);
  });

  it('says of an unknown name which ones are close', () => {
    assert.throws(() => resolveCheckpoint('smolvlm'), /no checkpoint smolvlm .*Did you mean smolvlm-256m or smolvlm-500m or smolvlm-2/);
    assert.throws(() => resolveCheckpoint('nonsense'), /no checkpoint nonsense .*--list/);
    for (const name of ['no/such/folder', '/no/such', './nothing', '../nothing', 'a b', 'a--b/c', 'a/..b']) {
      assert.throws(() => resolveCheckpoint(name), /There is no folder/, name);
    }
    assert.throws(() => resolveCheckpoint(''), /empty name/);
  });
});
