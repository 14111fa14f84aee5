// Pictures for pretraining, drawn by the generator of Scenes from seeds of their own (never the dataset's) and kept on disk as bytes, so
// that all networks share them: runs/pretrain-pictures/NAME.bytes (128 × 128 × 3 each) and NAME.jsonl (the scenes, drawings left out).
//   npx tsx scripts/pretrain/scene-pictures.ts [--train 16000] [--check 1000]
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { inProject } from '../../lib/project';
import { CANVAS, datasetSignatures, generateScene, renderBatch, type Scene, sceneSignature } from '../scenes';

export const PICTURE_BYTES = CANVAS * CANVAS * 3;
const BLOCK = 250;
const fileOf = (name: string, ending: string): string => inProject('runs', 'pretrain-pictures', `${name}.${ending}`);

/** The first `count` pictures of the set `pretrain/NAME/…` and what they show. Pixels stay on disk until asked for. */
export class ScenePictures {
  private readonly file: number;

  private constructor(
    readonly scenes: readonly Scene[],
    file: string,
  ) {
    this.file = fs.openSync(file, 'r');
  }

  /** Draws what is not on disk yet, also after a cut. */
  static async open(name: 'train' | 'check', count: number, onProgress: (done: number) => void = () => {}): Promise<ScenePictures> {
    await draw(name, count, onProgress);
    const lines = fs.readFileSync(fileOf(name, 'jsonl'), 'utf8').split('\n').slice(0, count);
    return new ScenePictures(
      lines.map((line) => JSON.parse(line) as Scene),
      fileOf(name, 'bytes'),
    );
  }

  /** Bytes of these pictures one after the other, CANVAS × CANVAS × 3 each, rows first. */
  pixels(indices: ArrayLike<number>): Uint8Array {
    const bytes = new Uint8Array(indices.length * PICTURE_BYTES);
    for (let i = 0; i < indices.length; i++) {
      const read = fs.readSync(this.file, bytes, i * PICTURE_BYTES, PICTURE_BYTES, indices[i] * PICTURE_BYTES);
      if (read !== PICTURE_BYTES)
        throw new Error(`Picture ${indices[i]} is not on disk: delete runs/pretrain-pictures to draw them again.`);
    }
    return bytes;
  }
}

/** Sentences need no pictures: the same scenes, generated without drawing them. Scenes like one of the dataset's are left out. */
export function* pretrainScenes(name: 'train' | 'check', from = 0): Generator<{ scene: Scene; next: number }> {
  const taken = datasetSignatures();
  for (let i = from; ; i++) {
    const scene = generateScene(`pretrain/${name}/${i}`);
    if (!taken.has(sceneSignature(scene))) yield { scene, next: i + 1 };
  }
}

async function draw(name: 'train' | 'check', count: number, onProgress: (done: number) => void): Promise<void> {
  const bytes = fileOf(name, 'bytes'),
    scenes = fileOf(name, 'jsonl');
  fs.mkdirSync(path.dirname(bytes), { recursive: true });
  const written = fs.existsSync(scenes) ? fs.readFileSync(scenes, 'utf8').split('\n').slice(0, -1) : [];
  // A cut may have left more of the one than of the other.
  let done = Math.min(written.length, fs.existsSync(bytes) ? Math.floor(fs.statSync(bytes).size / PICTURE_BYTES) : 0);
  if (done >= count) return;
  fs.writeFileSync(
    scenes,
    written
      .slice(0, done)
      .map((line) => `${line}\n`)
      .join(''),
  );
  if (fs.existsSync(bytes)) fs.truncateSync(bytes, done * PICTURE_BYTES);
  const last = done ? Number((JSON.parse(written[done - 1]) as Scene).seed.split('/').pop()) + 1 : 0;
  const source = pretrainScenes(name, last);
  while (done < count) {
    const block = Array.from({ length: Math.min(BLOCK, count - done) }, () => source.next().value!.scene as Scene);
    const drawn = await renderBatch(block.map(({ svg }) => svg));
    fs.appendFileSync(bytes, Buffer.concat(drawn));
    fs.appendFileSync(scenes, block.map((scene) => `${JSON.stringify({ ...scene, svg: '' })}\n`).join(''));
    onProgress((done += block.length));
  }
}

if (require.main === module) {
  const { values } = parseArgs({ options: { train: { type: 'string', default: '16000' }, check: { type: 'string', default: '1000' } } });
  const report = (name: string) => (done: number) => console.log(`${name}: ${done}`);
  void draw('check', Number(values.check), report('check')).then(() => draw('train', Number(values.train), report('train')));
}
