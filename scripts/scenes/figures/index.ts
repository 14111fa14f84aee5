import type { Kind } from '../classes';
import type { Figure } from './figure';
import { LIVING } from './living';
import { SHAPES } from './shapes';
import { THINGS } from './things';

/** How each kind of thing is drawn. */
export const FIGURES: Readonly<Record<Kind, Figure>> = { ...SHAPES, ...LIVING, ...THINGS };
export type { Figure, Point } from './figure';
