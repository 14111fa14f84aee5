/** A short training of report 003's captioner on pictures; as a program it prints a digest of weights, curve, captions and their scores. */
import { createHash } from 'node:crypto';
import { Random } from '../../lib/engine';
import { buildCaptioner, captionRecords, loadEncoder, mobileNetGru, trainCaptioner } from '../../lib/experiments';
import { encodeDataset } from '../../lib/training';
import { fewScenes } from './few-scenes';

/** Pictures are decoded and encoded in `folder`, by as many threads as there are. */
async function run(folder: string): Promise<Record<string, unknown>> {
  const { small } = mobileNetGru, config = { ...small, decoder: { ...small.decoder, embedSize: 24, hiddenSize: 32 } };
  const dataset = fewScenes(16, 4), encoder = loadEncoder(config), random = new Random(config.training.seed);
  const features = await encodeDataset(encoder, dataset, { folder }), captioner = buildCaptioner(config, dataset, encoder, random);
  const settings = { ...config.training, epochs: 1, learningRate: 5e-3, maxGradNorm: 1 };
  const { history } = await trainCaptioner({ captioner, dataset, features, settings, random });
  const digest = createHash('sha256');
  for (const [name, parameter] of captioner.decoder.namedParameters()) digest.update(name).update(parameter.save());
  const captions = captionRecords(captioner, dataset.split('test'), features, { numBeams: 3 });
  const curve = history.map(({ seconds, ...record }) => record);
  features.close();
  captioner.decoder.dispose();
  encoder.dispose();
  return { weights: digest.digest('hex'), curve, captions: captions.map(({ text, logProbability }) => [text, logProbability]) };
}

if (require.main === module) void run(process.argv[2]).then((outcome) => process.stdout.write(JSON.stringify(outcome)));
