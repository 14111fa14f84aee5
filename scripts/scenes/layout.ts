// Where things go: a composition that fits the picture and makes its own relations true. One that does not is refused
// (undefined), and the caller draws another.
import { BACKDROPS } from './backdrop';
import { type Background, CANVAS, type Kind } from './classes';
import { COMPOSE, type Composition, type Layout } from './compositions';
import { area, bottom, type Box, centreX, centreY, grown, holds, overlap, union } from './geometry';
import { inside } from './placement';
import type { Random } from './random';

export interface LayoutOptions {
  readonly composition: Composition;
  readonly kinds: readonly Kind[];
}

/** One attempt; undefined where it does not work out. */
export function tryLayout(background: Background, horizon: number, options: LayoutOptions, rng: Random): Layout | undefined {
  const stage = { background, horizon, surface: BACKDROPS[background].surface, rng };
  const layout = COMPOSE[options.composition](stage, options.kinds);
  if (!layout) return undefined;
  const boxes = layout.groups.flatMap((group) => group.boxes);
  if (!boxes.every(inside)) return undefined;
  // Things in the air keep clear of the ground, so that "in the sky" is seen to be so.
  for (const group of layout.groups) {
    if (group.support === 'air' && group.boxes.some((box) => bottom(box) > horizon + 8)) return undefined;
  }
  const touching = new Set(
    layout.links
      .filter(({ predicate }) => ['on', 'behind'].includes(predicate))
      .map(({ subject, object }) => `${subject},${object}`),
  );
  for (let i = 0; i < layout.groups.length; i++) {
    for (let j = i + 1; j < layout.groups.length; j++) {
      if (touching.has(`${i},${j}`) || touching.has(`${j},${i}`)) continue;
      if (layout.groups[i].boxes.some((a) => layout.groups[j].boxes.some((b) => overlap(grown(a), b) > 0))) return undefined;
    }
  }
  const unions = layout.groups.map((group) => union(group.boxes));
  return layout.links.every(({ subject, predicate, object }) => holds(predicate, unions[subject], unions[object]))
    ? layout
    : undefined;
}

/** What draws the eye: much area, near the middle. Comparable between the groups of one scene. */
export function saliency(boxes: readonly Box[]): number {
  const whole = union(boxes);
  const away = Math.hypot(centreX(whole) - CANVAS / 2, centreY(whole) - CANVAS * 0.55) / CANVAS;
  return Math.sqrt(boxes.reduce((sum, box) => sum + area(box), 0)) * (1.1 - 0.7 * away);
}
