/**
 * A forward pass of the reports' frozen encoders, from prepared pictures to features, 8 at a time: ViT-B/16 beside transformers' in
 * PyTorch; DeiT-III-L, ResNet-101 (224×224) and InceptionResNetV2 (299×299) beside timm's, convolutional ones in channels_last; all of them
 * beside ONNX Runtime, exported from PyTorch. Random weights, the same on all sides, whose features must agree.
 *
 *   npx tsx bench/encoders.ts [--rounds 4] [--batch 8] [--networks vit,deit3,resnet101,inception] [--folder FOLDER] [--json FILE]
 *     [--source]
 *
 * FOLDER keeps weights and graphs for another run.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ConfigJson, Module, Tensor4D } from '../lib';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report, row, type Row } from './harness/results';
import { takeTurns, timed, warmUp, type Time, type Turn } from './harness/turns';

const {
  DeiT3, deit3Sizes, ImageEncoder, ImageProcessor, InceptionResNetV2, Random, ResNet, resNetSizes, save, tf, ViTModel, vitSizes,
} = captioning;
const values = options({ rounds: '4', batch: '8', networks: 'vit,deit3,resnet101,inception', folder: '' });
const random = new Random(1);
const networks: Record<string, { title: string; size: number; peer: string; config?: ConfigJson; build: () => Module }> = {
  vit: { title: 'ViT-B/16', size: 224, peer: 'transformers', build: () => new ViTModel(vitSizes.base, random, { pooler: false }) },
  deit3: { title: 'DeiT-III-L/16', size: 224, peer: 'timm', build: () => new DeiT3({ ...deit3Sizes.large, initValues: 0.1 }, random) },
  resnet101: {
    title: 'ResNet-101', size: 224, peer: 'timm, channels_last', config: { architecture: 'resnet101' }, // under timm's names
    build: () => new ResNet(resNetSizes.resnet101, random),
  },
  inception: { title: 'InceptionResNetV2', size: 299, peer: 'timm, channels_last', build: () => new InceptionResNetV2({}, random) },
};

/** Largest difference, as a share of the largest value. */
function difference(own: ArrayLike<number>, other: ArrayLike<number>): number {
  let most = 0, scale = 0;
  for (let i = 0; i < own.length; i++) {
    most = Math.max(most, Math.abs(own[i] - other[i]));
    scale = Math.max(scale, Math.abs(own[i]));
  }
  return own.length === other.length ? most / scale : NaN;
}

async function main(top: string): Promise<void> {
  const batch = Number(values.batch), rows: Row[] = [], versions: (string | undefined)[] = [];
  for (const name of values.networks.split(',')) {
    if (!Object.hasOwn(networks, name)) throw new Error(`No network called ${name}: there are ${Object.keys(networks).join(', ')}.`);
    const { title, size, peer, config, build } = networks[name], folder = path.join(top, name), side = { height: size, width: size };
    if (!fs.existsSync(folder)) {
      const model = build();
      save(folder, { model, processor: new ImageProcessor({ size: side, doCenterCrop: false }), config });
      model.dispose();
    }
    const encoder = ImageEncoder.load(folder), pixels = tf.randomNormal([batch, size, size, 3], 0, 1, 'float32', 2) as Tensor4D;
    const images = { data: pixels.dataSync() as Float32Array, shape: pixels.shape };
    const encode = (): Float32Array => {
      const features = encoder.encode(images);
      try { return features.dataSync() as Float32Array; } finally { features.dispose(); }
    };
    const settings = JSON.stringify({ name, folder, pixels: writeTensor(path.join(top, 'pixels.bin'), pixels) }), own = encode();
    const others = { torch: await Peer.start('encoders.py', settings), onnx: await Peer.start('encoders_onnx.py', settings) };
    const sides: Record<string, Turn> = { ours: () => timed(encode) }, same: Record<string, string> = {};
    for (const [which, other] of Object.entries(others)) {
      if (!other) continue;
      const file = await other.ask<string>('features'), bytes = fs.readFileSync(file);
      const off = difference(own, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
      if (!(off < 1e-3)) throw new Error(`${title}: the features of ${which} differ by ${off} of the largest.`);
      same[which] = `largest difference ${off.toExponential(0)} of the largest feature`;
      sides[which] = () => other.ask<Time[]>('time', { steps: 1 });
    }
    warmUp(encode);
    const times = await takeTurns(Number(values.rounds), sides), ours = { times: times.ours };
    const work = `encoder forward ${title}, batch ${batch}`;
    rows.push(row({ work, against: `PyTorch (${peer})`, target: 0.95, same: same.torch }, ours, times.torch && { times: times.torch }));
    rows.push(row({ work, against: 'ONNX Runtime', same: same.onnx }, ours, times.onnx && { times: times.onnx }));
    for (const other of Object.values(others)) {
      versions.push(other?.description);
      other?.stop();
    }
    pixels.dispose();
    encoder.dispose();
  }
  report([...new Set(versions)], rows, values.json);
}

void inFolder(main, values.folder);
