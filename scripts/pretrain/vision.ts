// Trains a small vision network on generated scenes and writes weights/NAME-scenes. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/vision.ts NAME [--steps 3000]
import { parseArgs } from 'node:util';
import { Random } from '../../lib/engine';
import { ImageProcessor, NORMALIZATION } from '../../lib/images';
import { inProject } from '../../lib/project';
import { trainVision, type VisionRun } from './vision-encoder';
import { VISION_RECIPES } from './vision-recipes';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { steps: { type: 'string' } } });
  const [name] = positionals,
    recipe = VISION_RECIPES[name];
  if (!recipe) throw new Error(`There is no recipe "${name}": expected one of ${Object.keys(VISION_RECIPES).join(', ')}.`);
  const { size, batchSize, learningRate, weightDecay, crops } = recipe;
  const processor = new ImageProcessor({ size: { height: size, width: size }, ...NORMALIZATION.half });
  const run: VisionRun = {
    name: `${name}-scenes`,
    processor,
    size,
    pictures: 60000,
    steps: Number(values.steps ?? recipe.steps),
    batchSize,
    learningRate,
    weightDecay,
    ...(crops ? { crops } : {}),
  };
  const random = new Random(1);
  const vision = recipe.build(random);
  await trainVision(run, vision, random);
  const folder = inProject('weights', recipe.folder ?? run.name);
  recipe.save(folder, vision.network, processor);
  console.log(`saved ${folder}`);
}

void main();
