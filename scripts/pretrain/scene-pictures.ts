// Pictures for pretraining, drawn by the generator of Scenes from seeds of their own (never the dataset's), kept as bytes in memory.
import { ImageProcessor } from '../../lib/images';
import { CANVAS, generateScene, renderBatch, type Scene } from '../scenes';

export interface ScenePictures {
  scenes: Scene[];
  /** Prepared pixels (before normalisation), size × size × 3 each. */
  pixels: Uint8Array[];
  size: number;
}

/** `prefix` keeps sets apart: 'train', 'check'. Pictures go through the encoder's own resizing, as the dataset's will. */
export async function drawScenes(prefix: string, count: number, processor: ImageProcessor, onProgress: (done: number) => void): Promise<ScenePictures> {
  const scenes: Scene[] = [], pixels: Uint8Array[] = [];
  const block = 250;
  while (scenes.length < count) {
    const next = Array.from({ length: Math.min(block, count - scenes.length) }, (_, i) => generateScene(`pretrain/${prefix}/${scenes.length + i}`));
    for (const data of await renderBatch(next.map(({ svg }) => svg))) pixels.push(new Uint8Array(processor.fit({ data, width: CANVAS, height: CANVAS }).data));
    // The drawing is large and no longer needed.
    scenes.push(...next.map((scene) => ({ ...scene, svg: '' })));
    onProgress(scenes.length);
  }
  return { scenes, pixels, size: Math.sqrt(pixels[0].length / 3) };
}
