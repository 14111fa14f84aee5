import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { unzip } from '../../lib/datasets';
import { temporaryFolder } from './temporary-folder';
import { ZipMember, zipOf } from './zip-writer';

describe('unzip', () => {
  const folder = temporaryFolder();
  const cache = () => join(folder.path, 'cache');
  const run = (members: readonly ZipMember[], options = {}) => unzip(folder.write('set.zip', zipOf(members)), { cache: cache(), ...options });
  /** Nothing may be left of a refused archive, in the cache or outside. */
  const refused = async (members: readonly ZipMember[], message: RegExp, options = {}) => {
    await assert.rejects(run(members, options), (error: unknown) => {
      assert.match((error as Error).message, message);
      assert.match((error as Error).message, /set\.zip/);
      return true;
    });
    assert.deepEqual(readdirSync(folder.path).filter((name) => name !== 'cache'), ['set.zip']);
    assert.deepEqual(existsSync(cache()) ? readdirSync(cache()) : [], []);
  };

  it('unpacks folders and files, without what macOS adds', async () => {
    const members = [
      { name: 'images/', mode: 0o040755 },
      { name: 'images/a.txt', data: 'dog'.repeat(1000) },
      { name: '__MACOSX/images/._a.txt', data: 'x' },
      { name: 'empty.txt' },
    ];
    const target = await run(members);
    assert.equal(readFileSync(join(target, 'images', 'a.txt'), 'utf8'), 'dog'.repeat(1000));
    assert.deepEqual(readdirSync(target).sort(), ['empty.txt', 'images']);
    assert.deepEqual(readdirSync(cache()).length, 1);
  });

  it('unpacks an archive once, and anew when it has changed', async () => {
    const file = folder.write('set.zip', zipOf([{ name: 'a', data: '1' }]));
    const first = await unzip(file, { cache: cache() });
    folder.write(`cache/${readdirSync(cache())[0]}/marker`, 'here');
    assert.equal(await unzip(file, { cache: cache() }), first);
    assert.ok(existsSync(join(first, 'marker')));
    utimesSync(file, 1, 1);
    assert.notEqual(await unzip(file, { cache: cache() }), first);
  });

  it('unpacks once for two that ask at a time', async () => {
    const file = folder.write('set.zip', zipOf([{ name: 'a', data: '1' }]));
    const [one, other] = await Promise.all([unzip(file, { cache: cache() }), unzip(file, { cache: cache() })]);
    assert.equal(one, other);
    assert.equal(readFileSync(join(one, 'a'), 'utf8'), '1');
    assert.equal(readdirSync(cache()).length, 1);
  });

  it('refuses names that lead out of the folder', async () => {
    for (const name of ['../evil', 'a/../../evil', '/etc/evil', 'a/..', 'a\\..\\..\\evil', 'C:evil', 'a//b', './a']) {
      await refused([{ name: 'good', data: 'x' }, { name, data: 'evil' }], /leads out|not every system|invalid|absolute|relative/i);
    }
  });

  it('refuses links and devices', async () => {
    await refused([{ name: 'link', data: '/etc/passwd', mode: 0o120777 }], /link or a device/);
    await refused([{ name: 'pipe', mode: 0o010644 }], /link or a device/);
  });

  it('refuses an entry that is there twice, also but for case or accents', async () => {
    await refused([{ name: 'a', data: '1' }, { name: 'a', data: '2' }], /twice/);
    await refused([{ name: 'Train.csv', data: '1' }, { name: 'train.csv', data: '2' }], /twice/);
    await refused([{ name: 'é', data: '1' }, { name: 'e\u0301', data: '2' }], /twice/);
    await refused([{ name: 'a', data: '1' }, { name: 'a/b', data: '2' }], /both a file and a folder/);
    await refused([{ name: 'A/b', data: '1' }, { name: 'a', data: '2' }], /both a file and a folder/);
  });

  it('refuses bombs: too many entries, too many bytes, packed too well', async () => {
    await refused([{ name: 'a', data: '1' }, { name: 'b', data: '2' }], /limit of 1/, { maxEntries: 1 });
    await refused([{ name: 'a', data: '12345' }], /more than 4 bytes/, { maxBytes: 4 });
    await refused([{ name: 'a', data: Buffer.alloc(17 * 2 ** 20) }], /zip bomb/);
  });

  it('refuses sizes and checksums that do not hold', async () => {
    await refused([{ name: 'a', data: 'x'.repeat(500), claim: { size: 10 } }], /a/);
    await refused([{ name: 'a', data: 'xyz', claim: { size: 5000 } }], /a/);
    await refused([{ name: 'a', data: 'xyz', claim: { crc: 1 } }], /checksum/);
  });

  it('refuses what it cannot read', async () => {
    await refused([{ name: 'a', data: 'x', claim: { flags: 1 } }], /encrypted/);
    await refused([{ name: 'a', data: 'x', claim: { method: 12 } }], /deflate/);
    await refused([], /no files/);
    const whole = zipOf([{ name: 'a', data: 'some text in it' }]);
    await assert.rejects(unzip(folder.write('cut.zip', whole.subarray(0, 40)), { cache: cache() }), /cut\.zip: this is not a zip/);
    await assert.rejects(unzip(join(folder.path, 'nowhere.zip')), /nowhere\.zip: there is no such file/);
  });
});
