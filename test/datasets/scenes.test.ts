import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import sharp from 'sharp';
import { loadScenes, readSceneAnnotations } from '../../lib/datasets/scenes';

const row = () => ({
  id: 'scene-1', file: 'images/a.png', split: 'train', captions: ['A red ball.', 'One ball.'], background: 'room', details: [] as string[],
  objects: [{ name: 'ball', box: [10, 20, 30.5, 40], attributes: { colour: 'red', texture: 'plain', size: 'small' }, entity: 0 }],
  relations: [] as { subject: number; predicate: string; object: number }[],
});
const file = (images: unknown[]) => ({ name: 'Toy', width: 128, height: 128, annotators: ['first', 'second'], images });

describe('loadScenes', () => {
  it('gives 1,000, 100 and 100 pictures with five captions each and objects in the picture', () => {
    const scenes = loadScenes();
    assert.deepEqual(scenes.counts, { train: 1000, val: 100, test: 100 });
    assert.deepEqual(scenes.report.missingImages, []);
    for (const { id, image, captions, objects } of scenes) {
      assert.match(id, /^scene-\d{4}$/);
      assert.ok(isAbsolute(image) && existsSync(image), image);
      assert.equal(captions.length, 5);
      assert.ok(objects && objects.length > 0);
      for (const { name, box: [x, y, width, height], attributes } of objects) {
        assert.ok(name.length > 0 && x >= 0 && y >= 0 && x + width <= 128 && y + height <= 128);
        assert.deepEqual(Object.keys(attributes), ['colour', 'texture', 'size']);
      }
    }
  });

  it('reads pictures of 128×128 pixels', async () => {
    for (const image of loadScenes().images().filter((_, i) => i % 150 === 0)) {
      const { width, height, format } = await sharp(image).metadata();
      assert.deepEqual({ width, height, format }, { width: 128, height: 128, format: 'png' });
    }
  });

  it('tells backgrounds, relations and annotators on request', () => {
    const { annotators, images, width } = readSceneAnnotations();
    assert.deepEqual(annotators, ['terse', 'wordy', 'counting', 'relating', 'surroundings']);
    assert.equal(width, 128);
    assert.equal(new Set(images.map(({ background }) => background)).size, 10);
    assert.ok(images.filter(({ relations }) => relations.length > 0).length > 500);
  });
});

describe('loadScenes on a folder of one\'s own', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scenes-'));
    mkdirSync(join(folder, 'images'));
    writeFileSync(join(folder, 'images', 'a.png'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (content: unknown) => writeFileSync(join(folder, 'captions.json'), typeof content === 'string' ? content : JSON.stringify(content));

  it('reads it', () => {
    write(file([row()]));
    const [record] = loadScenes(folder).records;
    assert.equal(record.image, join(folder, 'images', 'a.png'));
    assert.deepEqual(record.objects, [{ name: 'ball', box: [10, 20, 30.5, 40], attributes: { colour: 'red', texture: 'plain', size: 'small' } }]);
  });

  it('lists pictures that are not on disk', () => {
    write(file([row(), { ...row(), id: 'scene-2', file: 'images/b.png' }]));
    const scenes = loadScenes(folder);
    assert.equal(scenes.length, 1);
    assert.deepEqual(scenes.report.missingImages, ['images/b.png']);
  });

  const bad: [what: string, content: unknown, message: RegExp][] = [
    ['a file that is no JSON', '{"name": "Toy", ', /captions\.json.*not JSON/],
    ['a missing key', file([{ ...row(), captions: undefined }]), /captions\.json: images\[0\]\.captions: /],
    ['an unknown split', file([row(), { ...row(), id: 'b', split: 'dev' }]), /images\[1\]\.split: /],
    ['an empty caption', file([{ ...row(), captions: ['A ball.', '  '] }]), /images\[0\]\.captions\[1\]: /],
    ['a caption too few', file([{ ...row(), captions: ['A ball.'] }]), /images\[0\]\.captions: 2 expected, one of each annotator, not 1/],
    ['a box of three numbers', file([{ ...row(), objects: [{ ...row().objects[0], box: [1, 2, 3] }] }]), /images\[0\]\.objects\[0\]\.box/],
    ['a box without area', file([{ ...row(), objects: [{ ...row().objects[0], box: [1, 2, 0, 3] }] }]), /images\[0\]\.objects\[0\]\.box\[2\]/],
    ['a box outside the picture', file([{ ...row(), objects: [{ ...row().objects[0], box: [100, 2, 40, 3] }] }]), /objects\[0\]\.box: .*does not lie/],
    ['a path out of the folder', file([{ ...row(), file: '../../etc/passwd' }]), /images\[0\]\.file: .*out of the image folder/],
    ['a relation to nothing', file([{ ...row(), relations: [{ subject: 0, predicate: 'above', object: 3 }] }]), /relations\[0\]: no object is of entity 3/],
    ['an id given twice', file([row(), row()]), /captions\.json: images\[1\]\.id: 'scene-1' is the id of images\[0\], too/],
    ['a list', [], /captions\.json: the file: /],
  ];
  for (const [what, content, message] of bad) {
    it(`refuses ${what}, naming the place`, () => {
      write(content);
      assert.throws(() => loadScenes(folder), message);
    });
  }

  it('says which file is not there', () => {
    assert.throws(() => loadScenes(join(folder, 'nowhere')), /nowhere.captions\.json: there is no such file/);
  });
});
