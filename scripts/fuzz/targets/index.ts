import type { FuzzTarget } from '../target';
import { checkpointTargets } from './checkpoints';
import { datasetTargets } from './datasets';
import { downloadTargets } from './downloads';
import { imageTargets } from './images';
import { runTargets } from './runs';
import { textTargets } from './texts';
import { weightTargets } from './weights';

/** Every reader of what comes from outside. */
export const targets: readonly FuzzTarget[] = [
  ...weightTargets, ...textTargets, ...datasetTargets, ...imageTargets, ...runTargets, ...downloadTargets, ...checkpointTargets,
];
