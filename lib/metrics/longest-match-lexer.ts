/**
 * A lexer in the manner of lex and JFlex: an ordered list of rules, of which the one that matches most characters wins, the
 * earlier on a tie. All rules run side by side in one automaton over UTF-16 code units, whose states are made when they are
 * first needed (Aho, Sethi and Ullman, "Compilers", 3.6 and 3.8), so reading costs a table look-up a character whatever the
 * number of rules.
 *
 * Patterns are written in a part of JavaScript's regular expressions: literals, `\` before punctuation, `\uXXXX`, classes
 * `[…]` and `[^…]`, groups, `|`, `*`, `+`, `?`, `{m}` and `{m,n}`. Being longest-match, order of alternatives and greediness
 * do not matter.
 */

/**
 * One rule. With `before`, the text must be followed by that pattern, which counts for the length of the match but is not
 * consumed.
 */
export interface LexerRule<Action> {
  pattern: string;
  before?: string;
  action: Action;
}

export interface Match<Action> {
  action: Action;
  /** First code unit after the match, `before` not included. */
  end: number;
}

type Range = [first: number, last: number];

/** Thompson's automaton: a state has arrows without a character, or one arrow for a set of characters. */
interface Nfa {
  jumps: number[][];
  /** Index into `sets`; -1 for none. */
  set: number[];
  next: number[];
  sets: Range[][];
}

interface Fragment {
  start: number;
  end: number;
}

/** Reads a pattern into the automaton, by recursive descent. */
class PatternReader {
  private at = 0;

  constructor(private readonly source: string, private readonly nfa: Nfa, private readonly setNumbers: Map<string, number>) {}

  read(): Fragment {
    const whole = this.alternatives();
    if (this.at < this.source.length) this.fail('unbalanced )');
    return whole;
  }

  private fail(problem: string): never {
    throw new SyntaxError(`${problem} at ${this.at} of /${this.source.slice(0, 200)}/`);
  }

  private state(): number {
    this.nfa.jumps.push([]);
    this.nfa.set.push(-1);
    return this.nfa.next.push(-1) - 1;
  }

  private alternatives(): Fragment {
    const whole = { start: this.state(), end: this.state() };
    for (;;) {
      const part = this.sequence();
      this.nfa.jumps[whole.start].push(part.start);
      this.nfa.jumps[part.end].push(whole.end);
      if (this.source[this.at] !== '|') return whole;
      this.at++;
    }
  }

  private sequence(): Fragment {
    const start = this.state();
    let end = start;
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const part = this.repeated();
      this.nfa.jumps[end].push(part.start);
      end = part.end;
    }
    return { start, end };
  }

  private repeated(): Fragment {
    const from = this.at;
    const first = this.atom();
    const to = this.at;
    const [least, most] = this.quantifier();
    if (least === 1 && most === 1) return first;
    // Every further copy is read from the source again.
    const copy = (): Fragment => {
      const after = this.at;
      this.at = from;
      const again = this.atom();
      if (this.at !== to) this.fail('unreadable repetition');
      this.at = after;
      return again;
    };
    const whole = { start: this.state(), end: this.state() };
    let last = whole.start;
    let made: Fragment | undefined = first;
    const step = () => {
      const part = made ?? copy();
      made = undefined;
      this.nfa.jumps[last].push(part.start);
      last = part.end;
      return part;
    };
    for (let i = 0; i < least; i++) {
      const part = step();
      if (most === Infinity && i === least - 1) this.nfa.jumps[part.end].push(part.start);
    }
    if (most === Infinity) {
      if (least === 0) {
        const part = step();
        this.nfa.jumps[whole.start].push(whole.end);
        this.nfa.jumps[part.end].push(part.start);
      }
    } else {
      for (let i = least; i < most; i++) {
        this.nfa.jumps[last].push(whole.end);
        step();
      }
    }
    this.nfa.jumps[last].push(whole.end);
    return whole;
  }

  private quantifier(): [number, number] {
    const sign = this.source[this.at];
    if (sign === '*' || sign === '+' || sign === '?') {
      this.at++;
      return [sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity];
    }
    const braces = /\{(\d+)(,?)(\d*)\}/y;
    braces.lastIndex = this.at;
    const found = braces.exec(this.source);
    if (!found) return [1, 1];
    this.at = braces.lastIndex;
    return [Number(found[1]), found[3] !== '' ? Number(found[3]) : found[2] ? Infinity : Number(found[1])];
  }

  private atom(): Fragment {
    const character = this.source[this.at];
    if (character === '(') {
      this.at++;
      const inner = this.alternatives();
      if (this.source[this.at++] !== ')') this.fail('missing )');
      return inner;
    }
    if (character === '[') return this.arrow(this.characterClass());
    if ('*+?{}]'.includes(character)) this.fail(`"${character}" must be escaped`);
    const code = this.codeUnit();
    return this.arrow([[code, code]]);
  }

  private codeUnit(): number {
    const character = this.source[this.at++];
    if (character !== '\\') return character.charCodeAt(0);
    const escaped = this.source[this.at++];
    if (escaped === 'u') {
      this.at += 4;
      return parseInt(this.source.slice(this.at - 4, this.at), 16);
    }
    const control = { n: 10, t: 9, r: 13, f: 12, v: 11 }[escaped];
    if (control === undefined && /[a-z0-9]/i.test(escaped)) this.fail(`unknown escape \\${escaped}`);
    return control ?? escaped.charCodeAt(0);
  }

  private characterClass(): Range[] {
    this.at++;
    const negated = this.source[this.at] === '^';
    if (negated) this.at++;
    const ranges: Range[] = [];
    while (this.source[this.at] !== ']') {
      if (this.at >= this.source.length) this.fail('missing ]');
      const first = this.codeUnit();
      let last = first;
      if (this.source[this.at] === '-' && this.source[this.at + 1] !== ']') {
        this.at++;
        last = this.codeUnit();
      }
      if (last < first) this.fail('range out of order');
      ranges.push([first, last]);
    }
    this.at++;
    return negated ? complement(ranges) : ranges;
  }

  private arrow(ranges: Range[]): Fragment {
    const key = ranges.join(';');
    let set = this.setNumbers.get(key);
    if (set === undefined) this.setNumbers.set(key, (set = this.nfa.sets.push(ranges) - 1));
    const start = this.state();
    const end = this.state();
    this.nfa.set[start] = set;
    this.nfa.next[start] = end;
    return { start, end };
  }
}

function complement(ranges: Range[]): Range[] {
  const rest: Range[] = [];
  let free = 0;
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (first > free) rest.push([free, first - 1]);
    free = Math.max(free, last + 1);
  }
  if (free <= 0xffff) rest.push([free, 0xffff]);
  return rest;
}

const UNMADE = -1;
const DEAD = -2;

/** Rules compiled into one automaton. */
export class LongestMatchLexer<Action> {
  private readonly nfa: Nfa = { jumps: [], set: [], next: [], sets: [] };
  /** Class of every code unit: units that no rule tells apart share one. */
  private readonly classes = new Uint16Array(0x10000);
  /** Per class, which of the automaton's sets hold it. */
  private readonly members: boolean[][] = [];
  private readonly acceptedBy = new Map<number, number>();
  private readonly numbers = new Map<string, number>();
  private readonly states: number[][] = [];
  private readonly arrows: Int32Array[] = [];
  /** The winning rule in a state, or -1. */
  private readonly winners: number[] = [];
  /** Of rules with `before`: the text and what follows it, each as an automaton of its own. */
  private readonly splits = new Map<number, [LongestMatchLexer<true>, LongestMatchLexer<true>]>();

  constructor(private readonly rules: readonly LexerRule<Action>[]) {
    const setNumbers = new Map<string, number>();
    const starts = rules.map(({ pattern, before }, rule) => {
      const source = before === undefined ? pattern : `(${pattern})(${before})`;
      const { start, end } = new PatternReader(source, this.nfa, setNumbers).read();
      this.acceptedBy.set(end, rule);
      return start;
    });
    this.classify();
    this.stateOf(starts);
  }

  /** The winning rule at a position of the text, if any matches at least one code unit. */
  match(text: string, start: number): Match<Action> | undefined {
    let state = 0;
    let winner = -1;
    let end = start;
    for (let i = start; i < text.length; i++) {
      const kind = this.classes[text.charCodeAt(i)];
      let next = this.arrows[state][kind];
      if (next === UNMADE) next = this.makeArrow(state, kind);
      if (next === DEAD) break;
      state = next;
      if (this.winners[state] >= 0) {
        winner = this.winners[state];
        end = i + 1;
      }
    }
    if (winner < 0) return undefined;
    const rule = this.rules[winner];
    return { action: rule.action, end: rule.before === undefined ? end : this.splitEnd(winner, text, start, end) };
  }

  /** Every position where a prefix of text[start …] that the rules accept ends, up to `limit`. */
  private ends(text: string, start: number, limit: number): number[] {
    const found = this.winners[0] >= 0 ? [start] : [];
    let state = 0;
    for (let i = start; i < limit; i++) {
      const kind = this.classes[text.charCodeAt(i)];
      let next = this.arrows[state][kind];
      if (next === UNMADE) next = this.makeArrow(state, kind);
      if (next === DEAD) break;
      state = next;
      if (this.winners[state] >= 0) found.push(i + 1);
    }
    return found;
  }

  /** Where the text of a rule with `before` ends: as late as possible. */
  private splitEnd(rule: number, text: string, start: number, end: number): number {
    let split = this.splits.get(rule);
    if (!split) {
      const { pattern, before } = this.rules[rule];
      split = [new LongestMatchLexer([{ pattern, action: true }]), new LongestMatchLexer([{ pattern: before ?? '', action: true }])];
      this.splits.set(rule, split);
    }
    const [own, following] = split;
    for (const middle of own.ends(text, start, end).reverse()) {
      if (following.ends(text, middle, end).includes(end)) return middle;
    }
    throw new Error(`rule ${rule} matched as a whole and not in parts`);
  }

  private classify(): void {
    const { sets } = this.nfa;
    const borders = new Set([0]);
    for (const ranges of sets) for (const [first, last] of ranges) borders.add(first).add(last + 1);
    const sorted = [...borders].filter((border) => border <= 0xffff).sort((a, b) => a - b);
    const holders = sorted.map((): number[] => []);
    const position = new Map(sorted.map((border, i) => [border, i]));
    sets.forEach((ranges, set) => {
      for (const [first, last] of ranges) {
        for (let i = position.get(first) ?? 0; i < sorted.length && sorted[i] <= last; i++) {
          if (holders[i][holders[i].length - 1] !== set) holders[i].push(set);
        }
      }
    });
    const kinds = new Map<string, number>();
    sorted.forEach((border, i) => {
      const key = holders[i].join(',');
      let kind = kinds.get(key);
      if (kind === undefined) {
        kinds.set(key, (kind = this.members.length));
        const member = new Array<boolean>(sets.length).fill(false);
        for (const set of holders[i]) member[set] = true;
        this.members.push(member);
      }
      this.classes.fill(kind, border, sorted[i + 1] ?? 0x10000);
    });
  }

  private makeArrow(state: number, kind: number): number {
    const member = this.members[kind];
    const targets = this.states[state].filter((s) => this.nfa.set[s] >= 0 && member[this.nfa.set[s]]).map((s) => this.nfa.next[s]);
    const next = targets.length === 0 ? DEAD : this.stateOf(targets);
    this.arrows[state][kind] = next;
    return next;
  }

  /** The number of the state that stands for these states of Thompson's automaton and all that they jump to. */
  private stateOf(seeds: number[]): number {
    const reached = new Set(seeds);
    for (const s of reached) for (const target of this.nfa.jumps[s]) reached.add(target);
    // Only states with an arrow or an end tell two sets apart.
    const kept = [...reached].filter((s) => this.nfa.set[s] >= 0 || this.acceptedBy.has(s)).sort((a, b) => a - b);
    const key = kept.join(',');
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.states.push(kept) - 1;
      this.numbers.set(key, number);
      this.arrows.push(new Int32Array(this.members.length).fill(UNMADE));
      const accepted = kept.flatMap((s) => this.acceptedBy.get(s) ?? []);
      this.winners.push(accepted.length === 0 ? -1 : Math.min(...accepted));
    }
    return number;
  }
}
