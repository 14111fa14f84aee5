// Sentences for pretraining: what the annotators and the narrator say of scenes that are not the dataset's.
import { annotateAll, narrate, type Scene } from '../scenes';
import { pretrainScenes } from './scene-pictures';

/** All that is said of a scene: five annotators' captions, then the narration. */
export const sentencesOf = (scene: Scene): string[] => [...annotateAll(scene), narrate(scene)];

/** The sentences of the first `count` scenes of `pretrain/NAME/…`, scene by scene. */
export function sceneSentences(name: 'train' | 'check', count: number): string[][] {
  const rows: string[][] = [];
  for (const { scene } of pretrainScenes(name)) {
    rows.push(sentencesOf(scene));
    if (rows.length === count) break;
  }
  return rows;
}
