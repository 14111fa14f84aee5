import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CaptionFileError, readCocoCaptions } from '../../lib/metrics/coco-caption-files';

const REFERENCES = {
  info: { year: 2014 },
  images: [{ id: 7, file_name: 'a.jpg' }, { id: 8 }],
  annotations: [
    { image_id: 8, id: 1, caption: 'a cat' },
    { image_id: 7, id: 2, caption: 'a dog' },
    { image_id: 7, id: 3, caption: 'the dog' },
  ],
};
const CANDIDATES = [{ image_id: 8, caption: 'cat' }, { image_id: 7, caption: 'dog' }];

describe('readCocoCaptions', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'coco-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
    return path;
  };
  const read = (references: unknown, candidates: unknown) => readCocoCaptions(write('refs.json', references), write('cands.json', candidates));
  const refuses = (references: unknown, candidates: unknown, message: RegExp) => {
    assert.throws(
      () => read(references, candidates),
      (error: Error) => {
        assert.ok(error instanceof CaptionFileError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  };
  const expected = { references: { 7: ['a dog', 'the dog'], 8: ['a cat'] }, candidates: { 7: 'dog', 8: 'cat' } };

  it('reads captions by image', () => assert.deepEqual(read(REFERENCES, CANDIDATES), expected));

  it('knows gzip by its content', () => {
    const pack = (value: unknown) => gzipSync(JSON.stringify(value));
    assert.deepEqual(read(pack(REFERENCES), pack(CANDIDATES)), expected);
  });

  it('takes a byte-order mark, ids as text, and references without a list of images', () => {
    assert.deepEqual(read(`\ufeff${JSON.stringify(REFERENCES)}`, CANDIDATES), expected);
    assert.deepEqual(read(REFERENCES, [{ image_id: '7', caption: 'dog' }, { image_id: '8', caption: 'cat' }]), expected);
    assert.deepEqual(read({ annotations: REFERENCES.annotations }, CANDIDATES), expected);
    const odd = read({ annotations: [{ image_id: '__proto__', caption: 'a' }] }, [{ image_id: '__proto__', caption: 'b' }]);
    assert.deepEqual(Object.entries(odd.candidates), [['__proto__', 'b']]);
  });

  it('names file, row and key of what is wrong', () => {
    refuses('{"images": [', CANDIDATES, /refs\.json: not JSON: /);
    refuses('', CANDIDATES, /refs\.json: not JSON: /);
    refuses(Buffer.from([0xff, 0xfe, 0x7b, 0x00]), CANDIDATES, /refs\.json: not UTF-8 text/);
    refuses(REFERENCES, gzipSync(JSON.stringify(CANDIDATES)).subarray(0, 40), /cands\.json: gzip file damaged/);
    refuses(CANDIDATES, CANDIDATES, /refs\.json: expected an object with "images" and "annotations"/);
    refuses(null, CANDIDATES, /refs\.json: expected an object/);
    refuses({ images: [] }, CANDIDATES, /refs\.json: annotations: expected a list of captions/);
    refuses({ ...REFERENCES, images: {} }, CANDIDATES, /refs\.json: images: expected a list of images/);
    refuses({ ...REFERENCES, images: [{ id: 7 }, { name: 8 }] }, CANDIDATES, /refs\.json: images\[1\]\.id: expected an image id/);
    refuses({ annotations: [{ image_id: 7, caption: 5 }] }, CANDIDATES, /refs\.json: annotations\[0\]\.caption: expected a caption \(a string\), got a number/);
    refuses({ annotations: [{ image_id: 7.5, caption: 'x' }] }, CANDIDATES, /annotations\[0\]\.image_id: expected an image id/);
    refuses({ annotations: [{ image_id: 7, caption: 'x'.repeat(10_001) }] }, CANDIDATES, /annotations\[0\]\.caption: .*at most 10000 characters/);
    refuses(REFERENCES, REFERENCES, /cands\.json: expected a list of captions/);
    refuses(REFERENCES, [{ image_id: 7, caption: 'x' }, 'dog'], /cands\.json: \[1\]: expected an object with image_id and caption/);
    refuses(REFERENCES, [{ image_id: 7 }], /cands\.json: \[0\]\.caption: expected a caption \(a string\), got nothing/);
    refuses(REFERENCES, [{ caption: 'x' }], /cands\.json: \[0\]\.image_id: expected an image id/);
  });

  it('lists a few of many mistakes', () => {
    refuses(REFERENCES, Array.from({ length: 50 }, () => ({ image_id: 7 })), /^(.*\n){5}… and 45 more$/);
  });

  it('refuses captions that do not fit the images', () => {
    refuses(REFERENCES, [...CANDIDATES, { image_id: 9, caption: 'x' }], /cands\.json: \[2\]: image 9 is not in .*refs\.json/);
    refuses(REFERENCES, [...CANDIDATES, { image_id: '7', caption: 'x' }], /cands\.json: \[2\]: image 7 has a candidate already, at \[1\]/);
    refuses(REFERENCES, CANDIDATES.slice(1), /cands\.json: 1 image \(8\) of .*refs\.json without a candidate/);
    refuses(REFERENCES, [], /cands\.json: 2 images \(7, 8\) of .*refs\.json without a candidate/);
    refuses({ images: [{ id: 7 }, { id: 9 }], annotations: [{ image_id: 7, caption: 'x' }] }, CANDIDATES, /refs\.json: 1 image \(9\) without a caption/);
    refuses({ images: [{ id: 7 }], annotations: REFERENCES.annotations }, CANDIDATES, /refs\.json: annotations\[0\]: image 8 is not in the list "images"/);
    refuses({ images: [{ id: 7 }, { id: '7' }], annotations: [] }, CANDIDATES, /refs\.json: images\[1\]: image 7 is listed twice/);
    refuses({ images: [], annotations: [] }, [], /refs\.json: no images/);
  });

  it('names a file that cannot be read', () => {
    const refs = write('refs.json', REFERENCES);
    assert.throws(() => readCocoCaptions(refs, join(folder, 'none.json')), /none\.json: there is no such file/);
    assert.throws(() => readCocoCaptions(folder, refs), /is a folder: expected a file/);
  });
});
