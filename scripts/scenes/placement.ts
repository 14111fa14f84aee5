// A figure put somewhere: its size, turn and the tight box it takes.
import { CANVAS, type Kind } from './classes';
import { FIGURES } from './figures';
import type { Box } from './geometry';

/** Half the outline's width, added around a figure's hull. */
const RIM = 0.65;

/** How a thing is drawn, before it is put anywhere. */
export interface Pose {
  readonly kind: Kind;
  /** Longest side of the unturned figure, in pixels. */
  readonly length: number;
  /** Degrees, clockwise. */
  readonly turn: number;
  readonly mirrored: boolean;
}

export interface Measured extends Pose {
  /** Pixels for one unit of the figure. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
  /** Where the figure's origin lies, from the top left corner of the box. */
  readonly originX: number;
  readonly originY: number;
  /** Height above the box's bottom at which another thing rests, and from where to where along the box. */
  readonly seat?: { readonly fromTop: number; readonly left: number; readonly right: number };
}

export function measure(pose: Pose): Measured {
  const figure = FIGURES[pose.kind];
  const xs = figure.hull.map(([x]) => x);
  const ys = figure.hull.map(([, y]) => y);
  const scale = pose.length / Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const turned = (x: number, y: number): [number, number] => {
    const angle = (pose.turn * Math.PI) / 180;
    const sx = (pose.mirrored ? -x : x) * scale;
    const sy = y * scale;
    return [sx * Math.cos(angle) - sy * Math.sin(angle), sx * Math.sin(angle) + sy * Math.cos(angle)];
  };
  const points = figure.hull.map(([x, y]) => turned(x, y));
  const left = Math.min(...points.map(([x]) => x)) - RIM;
  const top = Math.min(...points.map(([, y]) => y)) - RIM;
  const width = Math.max(...points.map(([x]) => x)) + RIM - left;
  const height = Math.max(...points.map(([, y]) => y)) + RIM - top;
  let seat: Measured['seat'];
  if (figure.seat) {
    const a = turned(figure.seat.left, figure.seat.y);
    const b = turned(figure.seat.right, figure.seat.y);
    seat = { fromTop: (a[1] + b[1]) / 2 - top, left: Math.min(a[0], b[0]) - left, right: Math.max(a[0], b[0]) - left };
  }
  return { ...pose, scale, width, height, originX: -left, originY: -top, seat };
}

const tenth = (value: number) => Math.round(value * 10) / 10;

/** The box of a measured figure whose box's top left corner is at (x, y), to a tenth of a pixel. */
export function boxAt(figure: Measured, x: number, y: number): Box {
  return [tenth(x), tenth(y), tenth(figure.width), tenth(figure.height)];
}

/** Whether a box lies in the picture with a margin of two pixels. */
export function inside(box: Box): boolean {
  return box[0] >= 2 && box[1] >= 2 && box[0] + box[2] <= CANVAS - 2 && box[1] + box[3] <= CANVAS - 2;
}
