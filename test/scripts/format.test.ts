import assert from 'node:assert/strict';
import { findings, longLines } from '../../scripts/format/rules';

const told = (file: string, text: string): string[] => findings(file, text).map(({ line, message }) => `${line} ${message}`);

describe('the form of files', () => {
  it('is LF line ends, two spaces, no spaces at the end, one line end at the last', () => {
    assert.deepEqual(told('a.py', 'a = 1\n'), []);
    assert.deepEqual(told('a.py', ''), []);
    assert.deepEqual(told('a.py', 'a = 1\r\nb = 2 \n\tc = 3\nd'), [
      '1 ends with CR LF: line ends are LF', '2 ends with a space',
      '3 is indented by a tab: two spaces a level', '4 is the last and has no line end',
    ]);
    assert.deepEqual(told('a.py', 'a\n\n'), ['2 is empty, and the last']);
  });

  it('lets Markdown break a line by two spaces', () => assert.deepEqual(told('a.md', 'one  \ntwo \n'), ['2 ends with a space']));

  const quoted = (text: string): number[] => findings('a.ts', text).map(({ line }) => line);

  it('is single quotes in code, except around single quotes', () => {
    assert.deepEqual(quoted('const a = "x";\nconst b = \'x\';\nconst c = "it\'s";\n'), [1]);
    assert.deepEqual(told('a.py', 'a = "x"\n'), []);
  });

  it('passes over comments, templates and regular expressions, and reads what stands in their holes', () => {
    assert.deepEqual(quoted('// "a"\n/* "b" */\nconst c = `"d" ${e} "f"`;\n'), []);
    assert.deepEqual(quoted('const a = `${{ b: "c" }.b}"` + 1;\n'), [1]);
    assert.deepEqual(quoted('const a = /"/.test(b) && /[/"]/.test(c);\nconst d = 6 / 2 + "x";\n'), [2]);
    assert.deepEqual(quoted('const a = \'\\\'"\';\nconst b = "\\"";\n'), [2]);
  });

  it('is 140 characters a line of code at most, counted as a reader counts them', () => {
    assert.deepEqual(longLines('a.ts', `${'x'.repeat(140)}\n${'😀'.repeat(140)}\n${'x'.repeat(141)}\n`), [3]);
    assert.deepEqual(longLines('a.md', 'x'.repeat(200)), []);
  });
});
