/** Readers of data sets: tables, archives, captions in JSON and in text. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  loadCocoCaptions, loadCourseDataset, loadFlickr8k, loadImageFolder, loadKarpathy, loadScenes, readCaptionSources, unzip,
    type CaptionDataset,
} from '../../../lib/datasets';
import { readCocoCaptions } from '../../../lib/metrics/coco-caption-files';
import { PIXEL } from '../../../test/datasets/temporary-folder';
import { zipOf } from '../../../test/datasets/zip-writer';
import { must, type Files, type FuzzTarget } from '../target';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const text = (...lines: string[]) => Buffer.from(`${lines.join('\n')}\n`);
const within = (folder: string, file: string) => must(path.resolve(file).startsWith(`${path.resolve(folder)}${path.sep}`),
  `${file} is outside ${folder}`);

/** What holds for every data set of captions. */
function checkDataset(dataset: CaptionDataset, folder: string): void {
  for (const { id, image, captions, split } of dataset) {
    must(typeof id === 'string' && id !== '' && ['train', 'val', 'test'].includes(split), `a record ${id} in ${split}`);
    must(captions.length > 0 && captions.every((caption) => typeof caption === 'string'), `captions of ${id}`);
    within(folder, image);
    must(fs.existsSync(image), `${image} is not there`);
  }
  must(dataset.describe().length < 1e6, 'a description without end');
}

const course = { 'train.csv': text('filename,caption', 'a.jpg,A dog.', 'a.jpg,"A dog, running."'),
  'val.csv': text('image;caption_1;caption_2', 'b.jpg;One.;"Two ""big"" ones."'), 'train/a.jpg': PIXEL, 'images/b.jpg': PIXEL };
const sentences = [{ raw: 'A dog.', tokens: ['a', 'dog'] }];
const scene = {
  name: 'scenes', width: 128, height: 128, annotators: ['one', 'two'],
  images: [{ id: '1', file: 'images/a.jpg', split: 'train', captions: ['A dog.', 'Dog.'], background: 'park', details: ['sun'],
    objects: [{ name: 'dog', box: [1, 2, 30.5, 40], attributes: { colour: 'red' }, entity: 0 }], relations: [{ subject: 0, predicate: 'on',
      object: 0 }] }],
};
const coco = { images: [{ id: 9, file_name: 'b.jpg' }, { id: '4', file_name: 'a.jpg' }], annotations: [{ image_id: 4, id: 1,
  caption: 'A dog.' }, { image_id: 9, caption: 'A cat.' }] };

export const datasetTargets: readonly FuzzTarget[] = [
  {
    name: 'zip',
    seeds: () => [{ 'set.zip': zipOf([{ name: 'images/', mode: 0o040755 }, { name: 'images/a.txt', data: 'dog'.repeat(100) },
      { name: 'b.csv', data: 'x' }, { name: 'empty' }]) }],
    read: async (folder) => {
      const before = new Set(fs.readdirSync(folder)), cache = path.join(folder, 'cache');
      try { within(cache, await unzip(path.join(folder, 'set.zip'), { cache })); } finally {
        for (const name of fs.readdirSync(folder)) must(before.has(name) || name === 'cache', `${name} was left behind`);
      }
    },
  },
  {
    name: 'course',
    seeds: () => [course, { 'set.zip': zipOf(Object.entries(course).map(([name, data]) => ({ name, data }))) }],
    read: async (folder) => checkDataset(await loadCourseDataset(fs.existsSync(path.join(folder, 'set.zip')) ? path.join(folder,
      'set.zip') : folder, { cache: path.join(folder, 'cache') }), folder),
  },
  {
    name: 'sources',
    seeds: () => [{ 'captions.csv': text('original_caption,generated_caption,occlusion_level,source_model,image_filename',
      '"A dog, here.",a dog,0,SmolVLM,a.jpg', 'A dog.,"a ""dog""",50,Custom,a.jpg', 'A cat.,,10,Custom,b.jpg') }],
    read: (folder) => {
      for (const row of readCaptionSources(path.join(folder, 'captions.csv'))) {
        must(Object.values(row).every((value) => value !== undefined) && Number.isInteger(row.occlusionLevel), JSON.stringify(row));
      }
    },
  },
  {
    name: 'coco',
    seeds: () => [{ 'captions_val2014.json': json(coco), 'images/a.jpg': PIXEL, 'images/b.jpg': PIXEL }],
    read: (folder) => checkDataset(loadCocoCaptions(path.join(folder, 'captions_val2014.json'), path.join(folder, 'images')), folder),
  },
  {
    name: 'karpathy',
    seeds: () => [{ 'dataset.json': json({ dataset: 'coco', images: [
      { filepath: 'val2014', filename: 'a.jpg', split: 'restval', cocoid: 391895, sentences }, { filename: 'b.jpg', split: 'test',
        sentences }] }),
    'images/val2014/a.jpg': PIXEL, 'images/b.jpg': PIXEL }],
    read: (folder) => checkDataset(loadKarpathy(path.join(folder, 'dataset.json'), path.join(folder, 'images')), folder),
  },
  {
    name: 'flickr8k',
    seeds: (): Files[] => [
      { 'Flickr8k.token.txt': text('a.jpg#0\tA dog .', 'a.jpg#1\tDog .', 'b.jpg#0\tA cat .'), 'Flickr_8k.trainImages.txt': text('a.jpg'),
        'Flickr_8k.devImages.txt': text('b.jpg'), 'Flickr_8k.testImages.txt': text('c.jpg'), 'images/a.jpg': PIXEL, 'images/b.jpg': PIXEL },
      { 'captions.txt': text('image,caption', 'a.jpg,A dog .', 'b.jpg,"A cat , too ."'), 'Flickr_8k.trainImages.txt': text('a.jpg'),
        'Flickr_8k.devImages.txt': text('b.jpg'), 'Flickr_8k.testImages.txt': text('c.jpg'), 'images/a.jpg': PIXEL, 'images/b.jpg': PIXEL },
    ],
    read: (folder) => checkDataset(loadFlickr8k(folder), folder),
  },
  {
    name: 'scenes',
    seeds: () => [{ 'captions.json': json(scene), 'images/a.jpg': PIXEL }],
    read: (folder) => checkDataset(loadScenes(folder), folder),
  },
  {
    name: 'image-folder',
    seeds: () => [{ 'id2label.json': json({ 0: 'dog', 1: 'cat' }), '0_1.png': PIXEL, '1_7.jpg': PIXEL, 'x.png': PIXEL }],
    read: (folder) => {
      const { classes, records } = loadImageFolder(folder);
      must(records.every(({ label }) => classes[label] !== undefined), 'a label without a class');
    },
  },
  {
    name: 'coco-results',
    seeds: () => [
      { 'refs.json': json(coco), 'cands.json': json([{ image_id: 4, caption: 'a dog' }, { image_id: '9', caption: 'a cat' }]) },
      { 'refs.json': gzipSync(json({ annotations: coco.annotations })), 'cands.json': json([{ image_id: 4, caption: 'a dog' },
        { image_id: 9, caption: 'a cat' }]) },
    ],
    read: (folder) => {
      const { references, candidates } = readCocoCaptions(path.join(folder, 'refs.json'), path.join(folder, 'cands.json'));
      must(Object.keys(references).sort().join() === Object.keys(candidates).sort().join(),
        'references and candidates of different images');
      must(Object.values(references).every((captions) => captions.length > 0), 'an image without references');
    },
  },
];
