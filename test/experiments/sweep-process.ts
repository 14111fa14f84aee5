/** A sweep in a process of its own, to be killed: `tsx sweep-process.ts <pictures> <folder>`. */
import { sweepOcclusion } from '../../lib/experiments/occlusion-sweep';
import { FakeCaptioner } from './fake-captioner';
import { openSweepDataset } from './sweep-dataset';

const [pictures, folder] = process.argv.slice(2);
const models = { SmolVLM: { captioner: new FakeCaptioner('SmolVLM', 15) }, Custom: { captioner: () => new FakeCaptioner('Custom', 15) } };
void sweepOcclusion({ dataset: openSweepDataset(pictures), models, folder, imagesPerBatch: 2 });
