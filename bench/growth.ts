/**
 * How the cost of this library grows: with the batch, the picture's size, the caption's length, the number of beams, the number of images
 * that are scored. Writes a chart each to bench/growth, with the numbers in growth.json. Processor seconds, all threads, the least of the
 * rounds: what the work takes wherever else the machine is busy.
 *
 *   npx tsx bench/growth.ts [--rounds 3] [--charts batch,size,length,beams,images] [--source]
 *
 * `--charts none` only draws anew what growth.json holds.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Module, Tensor } from '../lib';
import { lineFigure } from '../lib/notebook/charts';
import { chartSvg } from '../lib/notebook/static-chart';
import { captioning, options } from './harness/library';
import { timed } from './harness/turns';
import { writeTables } from './table';

const {
  Random, ResNet, resNetSizes, scoreCaptions, generate, tf, TransformerDecoder, transformerDecoderDefaults, ViTModel, vitSizes,
} = captioning;
const values = options({ rounds: '3', charts: 'batch,size,length,beams,images' });
const folder = path.join(__dirname, 'growth'), file = path.join(folder, 'growth.json');

/** Processor seconds at each x, of one or more series. */
interface Growth { title: string; x: string; y: string; at: number[]; seconds: Record<string, number[]> }

/** The work warms up once. */
function least(work: () => void): number {
  work();
  return Math.min(...timed(work, Number(values.rounds)).map(({ processor }) => processor));
}

const pictures = (count: number, size: number): Tensor => tf.randomNormal([count, size, size, 3], 0, 1, 'float32', 1);

/** Seconds of a forward pass of a network that is made for it. */
function forward(network: Module & { forward(inputs: { pixelValues: Tensor }): object }, pixelValues: Tensor): number {
  network.eval();
  const seconds = least(() => tf.tidy(() => { (Object.values(network.forward({ pixelValues }))[0] as Tensor).dataSync(); }));
  tf.dispose(pixelValues);
  return seconds;
}

/** Seconds of a search for captions of so many tokens on random features of DeiT-III-L. */
function search(tokens: number, numBeams: number, images = 4): number {
  const config = { ...transformerDecoderDefaults, vocabSize: 2540, featureSize: 1024, maxPositions: 128 };
  const decoder = new TransformerDecoder(config, new Random(1)).eval() as InstanceType<typeof TransformerDecoder>;
  const features = tf.randomNormal([images, 197, 1024], 0, 1, 'float32', 1);
  const seconds = least(() => {
    const steps = decoder.stepDecoder(features);
    const promptIds = Array.from({ length: images }, () => [1]);
    generate(steps, { promptIds, eosTokenId: null, padTokenId: 0 }, { numBeams, maxNewTokens: tokens });
    steps.dispose();
  });
  tf.dispose(features);
  decoder.dispose();
  return seconds;
}

/** Seconds of all metrics for captions whose words follow Zipf's law. */
function scoring(images: number): number {
  const random = new Random(1), word = () => `w${Math.floor(Math.exp(random.uniform() * Math.log(8000)))}`;
  const caption = () => Array.from({ length: 6 + random.integer(10) }, word).join(' ');
  const ids = Array.from({ length: images }, (_, i) => `picture ${i}`);
  const references = Object.fromEntries(ids.map((id) => [id, Array.from({ length: 5 }, caption)]));
  const candidates = Object.fromEntries(ids.map((id) => [id, caption()]));
  return least(() => { scoreCaptions(references, candidates); });
}

const of = (at: number[], measure: (x: number) => number): number[] => at.map((x) => {
  const seconds = measure(x);
  console.log(`${x}: ${seconds.toFixed(3)} s`);
  return seconds;
});

const charts: Record<string, () => Growth> = {
  batch: () => {
    const at = [1, 2, 4, 8, 16, 32], seconds: Record<string, number[]> = {};
    const vit = new ViTModel(vitSizes.small, new Random(1), { pooler: false }), resnet = new ResNet(resNetSizes.resnet50, new Random(1));
    seconds['ViT-S/16'] = of(at, (count) => forward(vit, pictures(count, 224)) / count);
    seconds['ResNet-50'] = of(at, (count) => forward(resnet, pictures(count, 224)) / count);
    return { title: 'Forward pass, by batch', x: 'pictures in the batch', y: 'processor time a picture', at, seconds };
  },
  size: () => {
    const at = [96, 160, 224, 320, 448], seconds: Record<string, number[]> = {}, resnet = new ResNet(resNetSizes.resnet50, new Random(1));
    seconds['ViT-S/16'] = of(at, (size) => {
      const vit = new ViTModel({ ...vitSizes.small, imageSize: size }, new Random(1), { pooler: false });
      try { return forward(vit, pictures(2, size)) / 2; } finally { vit.dispose(); }
    });
    seconds['ResNet-50'] = of(at, (size) => forward(resnet, pictures(2, size)) / 2);
    const y = 'processor time a picture';
    return { title: 'Forward pass, by the size of the picture', x: 'side of the picture, pixels', y, at, seconds };
  },
  length: () => {
    const at = [5, 10, 20, 40, 80];
    const seconds = { greedy: of(at, (tokens) => search(tokens, 1)), '5 beams': of(at, (tokens) => search(tokens, 5)) };
    return { title: 'Captions of 4 pictures by a 4-layer decoder, by length', x: 'tokens', y: 'processor time', at, seconds };
  },
  beams: () => {
    const at = [1, 2, 3, 5, 10, 15];
    const seconds = { search: of(at, (beams) => search(20, beams)) };
    return { title: 'Captions of 4 pictures, 20 tokens, by beams', x: 'beams', y: 'processor time', at, seconds };
  },
  images: () => {
    const at = [250, 500, 1000, 2000, 4000, 8000];
    return { title: 'All metrics, 5 references an image', x: 'images', y: 'processor time', at, seconds: { scores: of(at, scoring) } };
  },
};

const known: Record<string, Growth> = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Growth> : {};
fs.mkdirSync(folder, { recursive: true });
for (const name of values.charts === 'none' ? [] : values.charts.split(',')) {
  if (!Object.hasOwn(charts, name)) throw new Error(`No chart called ${name}: there are ${Object.keys(charts).join(', ')}.`);
  known[name] = charts[name]();
  fs.writeFileSync(file, `${JSON.stringify(known, null, 1)}\n`);
}
for (const [name, { title, x, y, at, seconds }] of Object.entries(known)) {
  const series = Object.entries(seconds).map(([label, values]) => ({ name: label, x: at, y: values }));
  const most = Math.max(...Object.values(seconds).flat());
  const svg = chartSvg(lineFigure(series, { title, x, y: { label: y, unit: 's', range: [0, 1.05 * most] } }));
  fs.writeFileSync(path.join(folder, `${name}.svg`), `${svg}\n`);
}
writeTables();
