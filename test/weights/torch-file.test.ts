import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inProject } from '../../lib/project';
import { openWeights, TorchFile } from '../../lib/weights';
import { dictPickle, op, tensor, torchZip, zip } from './pickle-writer';

const fixture = (name: string) => fs.readFileSync(inProject('test', 'fixtures', 'weights', name));
/** What open file descriptors of this process point at (Linux only). */
const openFiles = () => (fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : 0);

describe('PyTorch files', () => {
  let folder: string, file: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-')); file = path.join(folder, 'pytorch_model.bin'); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('reads an archive made by hand, a tensor of a part of its storage', () => {
    fs.writeFileSync(file, torchZip(dictPickle({ a: tensor({ offset: 1, count: 4, shape: [2, 1], stride: [2, 7] }) }), { 0: Buffer.from(Float32Array.of(1, 2, 3, 4).buffer) }));
    const source = TorchFile.open(file);
    assert.deepEqual(Array.from(source.read('a')), [2, 4]);
    source.close();
  });

  it('reads an archive with sizes of 64 bits', () => {
    fs.writeFileSync(file, zip([{ name: 'data.pkl', data: dictPickle({ a: tensor() }) }, { name: 'data/0', data: Buffer.from(Float32Array.of(1, 2).buffer) }], true));
    const source = TorchFile.open(file);
    assert.deepEqual(Array.from(source.read('a')), [1, 2]);
    source.close();
  });

  const one = dictPickle({ a: tensor() });
  const broken = (change: (bytes: Buffer) => void, name = 'torch-legacy.pth') => { const bytes = Buffer.from(fixture(name)); change(bytes); return bytes; };
  const call = (module: string, name: string, argument = op.text('touch /tmp/never')) =>
    Buffer.concat([op.proto, op.global(module, name), op.mark, argument, op.tuple, op.reduce, op.stop]);
  /** A list that holds itself, as the module's and as the global's name. */
  const self = Buffer.concat([op.proto, Buffer.from(']q\0h\0a0h\0h\0\x93', 'latin1'), op.stop]);
  const hostile: [string, Buffer, RegExp][] = [
    ['a call of os.system', torchZip(call('os', 'system')), /holds a os\.system, which is not a tensor/],
    ['a call of builtins.eval', torchZip(call('builtins', 'eval')), /builtins\.eval/],
    ['a call of a storage type', torchZip(call('torch', 'FloatStorage')), /calls what cannot be called here \(torch\.FloatStorage\)/],
    ['a global that JavaScript knows', torchZip(call('torch', 'constructor')), /torch\.constructor/],
    ['a storage named like a method', torchZip(call('torch', 'toStringStorage')), /torch\.toStringStorage/],
    ['a loader of further files', torchZip(call('torch', 'load')), /torch\.load/],
    ['an unknown storage type', torchZip(dictPickle({ a: tensor({ type: 'ComplexFloatStorage' }) })), /torch\.ComplexFloatStorage/],
    ['a global with a nested list as its name', torchZip(self), /names a global by something else than a text/],
    ['state set on an object', torchZip(Buffer.concat([op.proto, tensor(), op.dict, op.build, op.stop])), /sets the state of an object/],
    ['an instruction that makes instances', torchZip(Buffer.from('\x80\x02(i__main__\nX\n.', 'latin1')), /instruction 0x69/],
    ['a heap of dicts', torchZip(Buffer.concat([op.proto, Buffer.alloc(5_000_000, '}0')])), /more than 2000000 objects/],
    ['a deep stack', torchZip(Buffer.concat([op.proto, Buffer.alloc(2_500_000, 'N')])), /more than 2000000 objects/],
    ['a number of 2³⁰ bytes', torchZip(Buffer.from([0x80, 2, 0x8b, 0, 0, 0, 0x40, 0x2e])), /a number of 1073741824 bytes/],
    ['a text longer than the pickle', torchZip(Buffer.from([0x80, 2, 0x58, 255, 255, 255, 255, 0x2e])), /pickle ends early/],
    ['a pickle without an end', torchZip(Buffer.from([0x80, 2, 0x4e])), /pickle ends early/],
    ['an empty stack', torchZip(Buffer.from([0x80, 2, 0x2e])), /takes from an empty stack/],
    ['a recall of nothing', torchZip(Buffer.from([0x80, 2, 0x68, 3, 0x2e])), /recalls what it never stored/],
    ['a list instead of a dict', torchZip(Buffer.from([0x80, 2, 0x5d, 0x2e])), /instead of a dict of tensors/],
    ['one tensor', torchZip(Buffer.concat([op.proto, tensor(), op.stop])), /holds one tensor instead of a dict/],
    ['a number among the tensors', torchZip(dictPickle({ a: tensor(), epoch: op.int(3) })), /"epoch" is not a tensor/],
    ['a tensor beyond its storage', torchZip(dictPickle({ a: tensor({ offset: 1 }) })), /"a" reaches to value 3 of a storage of 2/],
    ['a stride beyond its storage', torchZip(dictPickle({ a: tensor({ stride: [2 ** 52] }) })), /"a" reaches to value/],
    ['a negative stride', torchZip(dictPickle({ a: tensor({ stride: [-1] }) })), /not described as torch\.save/],
    ['a shape that overflows', torchZip(dictPickle({ a: tensor({ shape: [2 ** 40, 2 ** 40], stride: [0, 0] }) })), /more values than allowed/],
    ['one number repeated 2⁴⁰ times', torchZip(dictPickle({ a: tensor({ shape: [2 ** 40], stride: [0] }) })), /more values than allowed/],
    ['shape and stride of different lengths', torchZip(dictPickle({ a: tensor({ shape: [2, 1] }) })), /not described as torch\.save/],
    ['a missing storage', torchZip(one, {}), /the storage 0 is missing/],
    ['a storage that is too short', torchZip(one, { 0: Buffer.alloc(7) }), /storage 0 has 7 bytes instead of 8/],
    ['a storage of two types', torchZip(dictPickle({ a: tensor(), b: tensor({ type: 'IntStorage' }) })), /storage 0 is described in two ways/],
    ['a storage that leads out of the archive', torchZip(dictPickle({ a: tensor({ key: '../../etc/passwd' }) })), /storage \.\.\/\.\.\/etc\/passwd is missing/],
    ['two pickles', torchZip(one, {}, [{ name: 'n/data.pkl', data: one }]), /2 entries data\.pkl/],
    ['a TorchScript program', torchZip(one, {}, [{ name: 'm/constants.pkl', data: one }]), /TorchScript/],
    ['big-endian numbers', torchZip(one, { 0: Buffer.alloc(8) }, [{ name: 'm/byteorder', data: Buffer.from('big') }]), /big-endian/],
    ['an entry twice', torchZip(one, { 0: Buffer.alloc(8) }, [{ name: 'm/data/0', data: Buffer.alloc(8) }]), /m\/data\/0 is there twice/],
    ['a compressed entry', zip([{ name: 'm/data.pkl', data: one, method: 8 }]), /m\/data\.pkl is compressed/],
    ['an encrypted entry', zip([{ name: 'm/data.pkl', data: one, flags: 1 }]), /m\/data\.pkl is encrypted/],
    ['an entry larger than the file', zip([{ name: 'm/data.pkl', data: one, says: 2 ** 31 }]), /beyond the directory/],
    ['an entry that overlaps another', zip([{ name: 'm/data.pkl', data: one, says: one.length + 20 }, { name: 'm/data/0', data: Buffer.alloc(8) }]), /m\/data\/0 overlaps another/],
    ['an entry of 2⁶⁰ bytes', zip([{ name: 'm/data.pkl', data: one, says: 2 ** 60 }], true), /m\/data\.pkl has damaged zip64 sizes/],
    ['an entry of 2⁵² bytes', zip([{ name: 'm/data.pkl', data: one, says: 2 ** 52 }], true), /beyond the directory/],
    ['an entry outside the file', zip([{ name: 'm/data.pkl', data: one, at: 2 ** 30 }]), /beyond the end/],
    ['a zip cut short', fixture('torch-zip.pth').subarray(0, 4000), /zip directory is missing/],
    ['a zip of nothing else than its first bytes', Buffer.from('PK\x03\x04'), /beyond the end|directory is missing/],
    ['an empty file', Buffer.alloc(0), /not in a form of torch\.save/],
    ['a bare pickle', call('os', 'system'), /not in a form of torch\.save/],
    ['the older form cut short in a storage', fixture('torch-legacy.pth').subarray(0, -3), /ends at byte|is missing/],
    ['the older form cut short in its pickle', fixture('torch-legacy.pth').subarray(0, 500), /pickle ends early/],
    ['the older form of a big-endian machine', broken((b) => { b[b.indexOf('little_endian') + 15] = 0x89; }), /big-endian/],
    ['the older form with a call', Buffer.concat([fixture('torch-legacy.pth').subarray(0, fixture('torch-legacy.pth').indexOf('ccollections')), call('os', 'system').subarray(2)]), /os\.system/],
  ];
  for (const [what, bytes, message] of hostile) {
    it(`refuses ${what}, naming the file`, () => {
      const before = openFiles();
      fs.writeFileSync(file, bytes);
      assert.throws(() => openWeights(folder), (error: Error) => {
        assert.equal(error.name, 'WeightsError', error.stack);
        assert.match(error.message, message);
        return error.message.includes(file);
      });
      assert.equal(openFiles(), before);
    });
  }

  it('answers every cut and every changed byte with a WeightsError or with tensors', () => {
    for (const name of ['torch-zip.pth', 'torch-legacy.pth', 'torch-shared.bin']) {
      const whole = fixture(name);
      for (let i = 0; i < whole.length; i += 17) {
        for (const bytes of [whole.subarray(0, i), Buffer.from(whole).fill((whole[i] * 7 + 41) & 255, i, i + 1)]) {
          fs.writeFileSync(file, bytes);
          try {
            const source = TorchFile.open(file);
            for (const tensorName of source.tensors.keys()) source.read(tensorName);
            source.close();
          } catch (error) {
            assert.equal((error as Error).name, 'WeightsError', `${name}, byte ${i}: ${(error as Error).stack}`);
          }
        }
      }
    }
  });
});
