import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { crc32c, EventWriter, scalarsEvent, startEvent, tfRecord, versionEvent } from '../../lib/training';
import { readEventFiles } from './event-files';
import fixture from '../fixtures/training/event-files.json';

describe('TensorBoard event files', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'events-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('CRC-32C of the published check value and of RFC 3720\'s examples', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(new Uint8Array()), 0);
  });

  it('records are byte for byte those of TensorBoard\'s writer', () => {
    const { version, start, scalars } = fixture;
    assert.equal(tfRecord(versionEvent(version.seconds)).toString('hex'), version.record);
    assert.equal(tfRecord(startEvent(start.seconds, start.step)).toString('hex'), start.record);
    for (const { seconds, step, values, record } of scalars) {
      const numbers = Object.fromEntries(Object.entries(values).map(([tag, value]) => [tag, value === 'inf' ? Infinity : Number(value)]));
      assert.equal(tfRecord(scalarsEvent(seconds, step, numbers)).toString('hex'), record);
    }
  });

  it('a writer makes one file, with the first scalars, and reads back', () => {
    const writer = new EventWriter(path.join(folder, 'run'));
    writer.scalars(1, {});
    assert.ok(!fs.existsSync(writer.folder), 'nothing to say, no file');
    for (const step of [1, 2, 300]) writer.scalars(step, { loss: 1 / step, rate: 0.5 });
    writer.close();
    assert.deepEqual(readEventFiles(writer.folder), {
      starts: [1], scalars: { loss: [[1, 1], [2, 0.5], [300, Math.fround(1 / 300)]], rate: [[1, 0.5], [2, 0.5], [300, 0.5]] },
    });
    assert.match(fs.readdirSync(writer.folder).join(), /^events\.out\.tfevents\.\d+\.[^,]+$/);
  });
});
