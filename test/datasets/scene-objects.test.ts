import assert from 'node:assert/strict';
import { CaptionDataset, cutSceneObjects, loadScenes, SCENE_NOUNS, type CaptionRecord, type SceneObject } from '../../lib/datasets';
import { decodeImage, type RgbImage } from '../../lib/images';

const [scene] = loadScenes().split('test').records;
const thing = (name: string, ...box: [number, number, number, number]): SceneObject => ({ name, box, attributes: {} });
const drawnWith = (...objects: SceneObject[]): CaptionDataset => {
  const record: CaptionRecord = { ...scene, objects };
  return new CaptionDataset('few', [record]);
};
const settings = { margin: 0.5, maxCovered: 0.1 };

describe('cutSceneObjects', () => {
  it('cuts a square around each thing, within the picture', async () => {
    const picture = await decodeImage(scene.image);
    const dataset = drawnWith(thing('gift', 30, 40, 20, 10), thing('circle', 100, 2, 20.4, 20.4), thing('car', 0, 60, 120, 60));
    const { records, classes, classIds } = await cutSceneObjects(dataset, settings);
    assert.deepEqual([classes, classIds[23]], [Object.keys(SCENE_NOUNS), 23]);
    assert.deepEqual(records.map(({ id, label, group }) => [id, classes[label], group]), [
      [`${scene.id}/0`, 'gift', scene.id], [`${scene.id}/1`, 'circle', scene.id], [`${scene.id}/2`, 'car', scene.id],
    ]);
    const images = records.map(({ image }) => image as RgbImage);
    assert.deepEqual(images.map(({ width, height }) => [width, height]), [[40, 40], [41, 41], [128, 128]]);
    const row = (x: number, y: number, length: number) => [...picture.data.subarray((y * 128 + x) * 3, (y * 128 + x + length) * 3)];
    // Around (40, 45); the circle's square is moved from (90, −8) to the corner.
    assert.deepEqual([...images[0].data.subarray(0, 120)], row(20, 25, 40));
    assert.deepEqual([...images[1].data.subarray(0, 123)], row(87, 0, 41));
    assert.ok(Buffer.from(picture.data).equals(images[2].data), 'all of the picture');
  });

  it('leaves out what another thing\'s box covers by more than is allowed, and keeps what covers it', async () => {
    const dataset = drawnWith(thing('gift', 30, 40, 20, 10), thing('house', 45, 20, 60, 60), thing('star', 0, 0, 10, 10));
    const kept = async (maxCovered: number) =>
      (await cutSceneObjects(dataset, { ...settings, maxCovered })).records.map(({ id }) => id.slice(-1));
    // A quarter of the gift is in the house's box.
    assert.deepEqual(await kept(0.25), ['0', '1', '2']);
    assert.deepEqual(await kept(0.24), ['1', '2']);
    assert.deepEqual(await kept(0), ['2']);
  });

  it('groups the things of one picture, of several and by name alike', async () => {
    const test = loadScenes().split('test').take(10), objects = await cutSceneObjects(test, settings);
    const names = new Map(test.records.map((record) => [record.id, record.objects!.map(({ name }) => name)]));
    assert.ok(objects.length > 10, `${objects.length}`);
    for (const { id, label, group } of objects) {
      const [scene_, index] = id.split('/');
      assert.deepEqual([group, objects.classes[label]], [scene_, names.get(scene_)![Number(index)]]);
    }
    assert.deepEqual(objects.groups(), objects.records.map(({ group }) => group));
  });

  it('says what is wrong', async () => {
    await assert.rejects(cutSceneObjects(drawnWith(thing('yeti', 0, 0, 9, 9)), settings), /object yeti; expected one of circle, square/);
    await assert.rejects(cutSceneObjects(drawnWith(), settings), /no object stands free enough/);
    const { objects: _, ...bare } = scene;
    await assert.rejects(cutSceneObjects(new CaptionDataset('bare', [bare]), settings), /bare: .* tells no objects/);
    await assert.rejects(cutSceneObjects(drawnWith(), { ...settings, margin: -1 }), /margin is -1/);
    await assert.rejects(cutSceneObjects(drawnWith(), { ...settings, maxCovered: 2 }), /maxCovered is 2/);
  });
});
