import assert from 'node:assert/strict';
import { LongestMatchLexer, LexerRule } from '../../lib/metrics/longest-match-lexer';

/** Name of the rule and the text, token by token; "?" where no rule matches. */
function read(rules: LexerRule<string>[], text: string): string[] {
  const lexer = new LongestMatchLexer(rules);
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const match = lexer.match(text, at);
    found.push(match ? `${match.action}:${text.slice(at, match.end)}` : '?');
    at = match ? match.end : at + 1;
  }
  return found;
}
const rule = (action: string, pattern: string, before?: string): LexerRule<string> => ({ action, pattern, before });

describe('LongestMatchLexer', () => {
  it('takes the longest match, whatever the order of rules or alternatives', () => {
    assert.deepEqual(read([rule('short', 'a|ab'), rule('long', 'a|abc')], 'abcab'), ['long:abc', 'short:ab']);
  });

  it('takes the earlier rule on a tie', () => {
    assert.deepEqual(read([rule('keyword', 'if'), rule('word', '[a-z]+')], 'if'), ['keyword:if']);
    assert.deepEqual(read([rule('keyword', 'if'), rule('word', '[a-z]+')], 'iff'), ['word:iff']);
  });

  it('falls back to the last accepted position', () => {
    assert.deepEqual(read([rule('number', '[0-9]+(\\.[0-9]+)?'), rule('stop', '\\.')], '1.5.'), ['number:1.5', 'stop:.']);
  });

  it('counts what must follow for the length of the match, and leaves it', () => {
    assert.deepEqual(read([rule('verb', '[a-z]+', "n't"), rule('not', "n't"), rule('word', '[a-z]+')], "don't"), ['verb:do', "not:n't"]);
    // The part to keep is as long as can be.
    assert.deepEqual(read([rule('as', 'a+', 'a*b'), rule('b', 'b')], 'aaab'), ['as:aaa', 'b:b']);
  });

  it('reads classes, negated classes, escapes and counted repetition', () => {
    assert.deepEqual(read([rule('x', '[^a-c\\]\\u00e9]')], 'adé]e'), ['?', 'x:d', '?', '?', 'x:e']);
    assert.deepEqual(read([rule('two', 'a{2}'), rule('three', 'b{3,}'), rule('some', 'c{1,2}'), rule('none', 'd(e{0,1})f')], 'aaabbbbcccdfdef'), [
      'two:aa', '?', 'three:bbbb', 'some:cc', 'some:c', 'none:df', 'none:def',
    ]);
    assert.deepEqual(read([rule('ab', '(ab)+'), rule('cd', '(c|d)*e')], 'ababcde'), ['ab:abab', 'cd:cde']);
    assert.deepEqual(read([rule('any', '[^]')], '\n'), ['any:\n']);
  });

  it('agrees with the regular expressions of JavaScript where these are longest-match too', () => {
    const patterns = ['(ab?c*)+', 'a(b|c){1,3}', '[a-c]+d?', '(a|b)*c', 'a{2,4}b*', '((a|b)c?)*d'];
    let seed = 7;
    const next = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    for (const pattern of patterns) {
      const lexer = new LongestMatchLexer([{ pattern, action: true }]);
      const whole = new RegExp(`^(?:${pattern})$`);
      for (let i = 0; i < 300; i++) {
        const text = Array.from({ length: next(9) }, () => 'abcd'[next(4)]).join('');
        let longest = 0;
        for (let end = 1; end <= text.length; end++) if (whole.test(text.slice(0, end))) longest = end;
        assert.equal(lexer.match(text, 0)?.end ?? 0, longest, `/${pattern}/ on ${text}`);
      }
    }
  });

  it('reports a pattern it cannot read', () => {
    for (const pattern of ['a)', '(a', '[a', '*a', 'a**', '[b-a]', '\\q']) {
      assert.throws(() => new LongestMatchLexer([{ pattern, action: true }]), SyntaxError, pattern);
    }
  });
});
