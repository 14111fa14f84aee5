// How well the annotators of Scenes agree, and how far one gets without looking:   npx tsx scripts/scenes/agreement.ts
// The ceiling is leave-one-out: each annotator's captions scored against the other four's. The floor is a captioner that says
// the same of every picture: of the 200 captions most frequent in the training split, that which scores best on the test split.
import { bleu } from '../../lib/metrics/bleu';
import { cider } from '../../lib/metrics/cider';
import { ptbTokenize } from '../../lib/metrics/ptb-tokenizer';
import { ANNOTATORS } from './language/annotators';
import { datasetScenes, rowOf, type Split } from './dataset';

export interface Agreement {
  /** Of each annotator against the others, in the order of ANNOTATORS. */
  readonly annotators: readonly { readonly bleu4: number; readonly cider: number }[];
  /** Mean over the annotators. */
  readonly human: { readonly bleu4: number; readonly cider: number };
  /** The best caption said of every picture alike, against all five. */
  readonly blind: { readonly caption: string; readonly bleu4: number; readonly cider: number };
}

/** BLEU-4 and CIDEr on coco-caption's tokens, on the pictures of one split. */
export function agreement(split: Split): Agreement {
  const rows = [...datasetScenes()].map(rowOf);
  const pictures = rows.filter((row) => row.split === split).map(({ captions }) => captions.map((caption) => ptbTokenize(caption)));
  const score = (references: string[][][], candidates: string[][]) => ({
    bleu4: bleu(references, candidates).corpus[3],
    cider: cider(references, candidates).corpus,
  });
  const annotators = ANNOTATORS.map((_, k) =>
    score(
      pictures.map((captions) => captions.filter((__, other) => other !== k)),
      pictures.map((captions) => captions[k]),
    ),
  );
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  const counts = new Map<string, number>();
  for (const caption of rows.filter((row) => row.split === 'train').flatMap(({ captions }) => captions)) {
    counts.set(caption, (counts.get(caption) ?? 0) + 1);
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 200).map(([caption]) => caption);
  const blind = frequent
    .map((caption) => ({ caption, ...score(pictures, pictures.map(() => ptbTokenize(caption))) }))
    .reduce((best, next) => (next.cider > best.cider ? next : best));
  return {
    annotators,
    human: { bleu4: mean(annotators.map((a) => a.bleu4)), cider: mean(annotators.map((a) => a.cider)) },
    blind,
  };
}

if (require.main === module) {
  for (const split of ['val', 'test'] as const) {
    const { annotators, human, blind } = agreement(split);
    console.log(`${split}: pictures scored by leave-one-out`);
    ANNOTATORS.forEach((name, k) => console.log(`  ${name.padEnd(14)} BLEU-4 ${annotators[k].bleu4.toFixed(3)}  CIDEr ${annotators[k].cider.toFixed(3)}`));
    console.log(`  ${'mean'.padEnd(14)} BLEU-4 ${human.bleu4.toFixed(3)}  CIDEr ${human.cider.toFixed(3)}`);
    console.log(`  ${'blind'.padEnd(14)} BLEU-4 ${blind.bleu4.toFixed(3)}  CIDEr ${blind.cider.toFixed(3)}  "${blind.caption}"`);
  }
}
