// The generator of Scenes, for everything that makes pictures: the dataset and the pretraining scripts.
export * from './classes';
export type { Box } from './geometry';
export { COMPOSITIONS, type Composition, type Support } from './compositions';
export { Random } from './random';
export { renderBatch, renderPixels, renderPng, type RenderOptions } from './render';
export {
  type Entity,
  generateScene,
  type Relation,
  relationBetween,
  type Scene,
  type SceneOptions,
  sceneSignature,
  type Thing,
} from './scene';
export { annotate, annotateAll, type Annotator, ANNOTATORS } from './language/annotators';
export { narrate } from './language/narrator';
export {
  captionsFile,
  DATASET_SEED,
  DATASET_SIZE,
  datasetScenes,
  datasetSignatures,
  rowOf,
  type SceneRow,
  SPLIT_SIZES,
  splitOf,
} from './dataset';
