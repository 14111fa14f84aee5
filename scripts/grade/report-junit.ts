/** The report for programs that read test results: JUnit's XML. */
import path from 'node:path';
import { statusOf, type Row } from './rows';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\t': '&#9;' };

/** Text for an attribute; characters that XML 1.0 does not have are dropped. */
const xml = (text: string): string => text.replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
  .replace(/[&<>"\n\t]/g, (character) => ENTITIES[character]);

function testCase(row: Row): string {
  const { name, result } = row, status = statusOf(row);
  const scores = Object.entries(result?.scores ?? {}).map(([score, value]) => `<property name="${xml(score)}" value="${value}"/>`);
  const parts = [
    ...(scores.length > 0 ? [`<properties>${scores.join('')}</properties>`] : []),
    ...(status === 'not run' ? ['<skipped/>'] : []),
    ...(result && status !== 'passed' ? [`<${elementOf(status)} type="${status}" message="${xml(result.message)}"/>`] : []),
    ...(result?.differences.length ? [`<system-out>${xml(result.differences.join('\n'))}</system-out>`] : []),
  ];
  const folder = path.dirname(name), suite = folder === '.' ? 'submissions' : folder;
  const attributes = `classname="${xml(suite)}" name="${xml(path.basename(name))}" time="${(result?.seconds ?? 0).toFixed(1)}"`;
  return `  <testcase ${attributes}>${parts.join('')}</testcase>`;
}

/** A notebook that could not be run is an error, one that was run and did not come to its end a failure. */
const elementOf = (status: string): string => (status === 'error' || status === 'invalid' ? 'error' : 'failure');

export function junitReport(rows: readonly Row[]): string {
  const bad = rows.filter(({ result }) => result && result.status !== 'passed').map((row) => elementOf(statusOf(row)));
  const of = (element: string) => bad.filter((each) => each === element).length;
  const skipped = rows.filter(({ result }) => !result).length;
  const seconds = rows.reduce((sum, { result }) => sum + (result?.seconds ?? 0), 0);
  const bads = `failures="${of('failure')}" errors="${of('error')}" skipped="${skipped}"`;
  const totals = `tests="${rows.length}" ${bads} time="${seconds.toFixed(1)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="grade" ${totals}>\n${rows.map(testCase).join('\n')}\n</testsuite>\n`;
}
