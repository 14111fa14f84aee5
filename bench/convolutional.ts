/**
 * A forward pass of ResNet-101 (224×224) and InceptionResNetV2 (299×299) here and in PyTorch (timm's, channels_last), random weights. The
 * sides take turns; medians. Beside the wall's time stands the processor's, which other processes on the machine disturb less.
 *
 *   npx tsx bench/convolutional.ts [--rounds 4] [--steps 2] [--batch 8] [--networks resnet101,inception_resnet_v2]
 */
import { parseArgs } from 'node:util';
import type * as Captioning from '../lib';
import { median, Peer } from './peer';

const option = (standard: string) => ({ type: 'string', default: standard }) as const;
const { values } = parseArgs({ options: { rounds: option('4'), steps: option('2'), batch: option('8'), networks: option('resnet101,inception_resnet_v2') } });
const rounds = Number(values.rounds), steps = Number(values.steps), batch = Number(values.batch);
const size: Record<string, number> = { resnet101: 224, inception_resnet_v2: 299 };

// The compiled library is measured, as notebooks use it.
const { InceptionResNetV2, ResNet, resNetSizes, tf } = require('captioning') as typeof Captioning;

type Times = [wall: number, processor: number];

async function main(): Promise<void> {
  const started = await Peer.start('convolutional.py', [JSON.stringify({ batch, size })]);
  if (started) console.log(started.hello);
  for (const name of values.networks.split(',')) {
    if (!Object.hasOwn(size, name)) throw new Error(`No network called ${name}: there are ${Object.keys(size).join(', ')}.`);
    const model = name === 'resnet101' ? new ResNet(resNetSizes.resnet101) : new InceptionResNetV2();
    const pixelValues = tf.randomUniform([batch, size[name], size[name], 3]);
    const step = (): Times => {
      const start = performance.now(), used = process.cpuUsage();
      tf.tidy(() => model.forward({ pixelValues }).logits.dataSync());
      const { user, system } = process.cpuUsage(used);
      return [performance.now() - start, (user + system) / 1000];
    };
    const ours: Times[] = [], theirs: Times[] = [];
    for (let round = -1; round < rounds; round++) {
      const mine = Array.from({ length: steps }, step);
      const other = started ? await started.peer.ask<Times[]>(`${name} ${steps}`) : [];
      if (round >= 0) { ours.push(...mine); theirs.push(...other); }
    }
    for (const [i, what] of ['wall', 'processor'].entries()) {
      const [mine, other] = [ours, theirs].map((times) => median(times.map((pair) => pair[i])));
      const compared = theirs.length ? `, PyTorch ${other.toFixed(0)} ms, ratio ${(mine / other).toFixed(2)}` : '';
      console.log(`${name}, batch ${batch}, ${what}: captioning ${mine.toFixed(0)} ms${compared}`);
    }
    pixelValues.dispose();
    model.dispose();
  }
  started?.peer.stop();
}

void main();
