// A wordier voice than the annotators': two or three full sentences that leave nothing out. Captioners are pretrained on
// it, so that what they learn of the annotators' way of speaking they learn from the dataset alone.
import type { Predicate, Texture } from '../classes';
import { CANVAS } from '../classes';
import { Random } from '../random';
import { type Entity, relationBetween, type Scene } from '../scene';
import { COUNT_WORDS, DETAIL_WORDS, NOUNS, SETTINGS, SKY_WORDS } from './lexicon';
import { article, listed, sentence } from './phrases';

const PATTERN: Readonly<Record<Texture, string>> = {
  plain: 'in one plain colour',
  striped: 'covered with stripes',
  dotted: 'covered with dots',
  checked: 'in a pattern of checks',
};

const TOWARDS: Readonly<Record<Predicate, string>> = {
  'left of': 'to its left',
  'right of': 'to its right',
  above: 'above it',
  below: 'below it',
  on: 'on top of it',
  under: 'underneath it',
  behind: 'partly hidden behind it',
  'in front of': 'in front of it',
};
const TOWARDS_MANY: Readonly<Record<Predicate, string>> = {
  'left of': 'to their left',
  'right of': 'to their right',
  above: 'above them',
  below: 'below them',
  on: 'on top of them',
  under: 'underneath them',
  behind: 'partly hidden behind them',
  'in front of': 'in front of them',
};

/** "a medium sized red ball covered with stripes". */
function full({ kind, colour, texture, size, count }: Entity, rng: Random): string {
  const name = count > 1 ? NOUNS[kind][0].plural : NOUNS[kind][0].singular;
  const phrase = `${size === 'medium' ? 'medium sized' : size} ${colour} ${name}`;
  const pattern = texture !== 'plain' || rng.chance(0.3) ? ` ${PATTERN[texture]}` : '';
  return `${count > 1 ? `${COUNT_WORDS[count]} ${phrase}` : article(phrase)}${pattern}`;
}

function region({ box }: Entity): string {
  const across = (box[0] + box[2] / 2) / CANVAS;
  const down = (box[1] + box[3] / 2) / CANVAS;
  const side = across < 0.36 ? 'left' : across > 0.64 ? 'right' : '';
  const height = down < 0.36 ? 'upper' : down > 0.64 ? 'lower' : '';
  if (!side && !height) return 'in the centre of the image';
  return height && side ? `in the ${height} ${side} part of the image` : `in the ${height || side} part of the image`;
}

/** Two to four sentences on a scene; by default the words too follow from its seed. */
export function narrate(scene: Scene, rng: Random = new Random(`${scene.seed}/narration`)): string {
  const { entities, sky, details } = scene;
  const [main, ...others] = entities;
  const setting = rng.pick(SETTINGS[scene.background]);
  const sentences: string[] = [];
  const many = main.count > 1;
  sentences.push(
    rng.pick([
      () => `this picture shows ${full(main, rng)}, ${region(main)}`,
      () => `the image contains ${full(main, rng)}, which ${many ? 'are' : 'is'} ${region(main)}`,
      () => `${region(main)} we can see ${full(main, rng)}`,
    ])(),
  );
  const described = others.map((entity, i) => {
    const relation = relationBetween(scene, i + 1, 0);
    const where = relation ? (many ? TOWARDS_MANY : TOWARDS)[relation.predicate] : region(entity);
    return `${full(entity, rng)} ${where}`;
  });
  if (described.length > 0) sentences.push(`there ${others[0].count > 1 ? 'are' : 'is'} also ${listed(described)}`);
  const above = sky ? ` and above it is ${SKY_WORDS[sky][0]}` : '';
  const small = details.length > 0 ? `, ${DETAIL_WORDS[rng.pick(details)][0]}` : '';
  sentences.push(rng.pick([`the setting is ${setting}${above}${small}`, `the background shows ${setting}${above}${small}`]));
  return sentences.map(sentence).join(' ');
}
