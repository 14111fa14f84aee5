/** The report for people: one page, which runs no script and asks nothing of the network. */
import { escapeHtml } from '../../lib/notebook/display';
import { formatDuration } from '../../lib/notebook/duration';
import { countStatuses, scoreNames, statusOf, type Row } from './rows';

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 sans-serif;margin:2em;max-width:110em}table{border-collapse:collapse}
th,td{padding:.3em .7em;border-bottom:1px solid #8886;text-align:left;vertical-align:top}
td.status,td.number{white-space:nowrap}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}td.passed::before{content:"✓ "}
td.status:not(.passed)::before{content:"✗ "}td.status:not(.passed){font-weight:bold}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;max-width:60em;font-size:.9em}small{opacity:.75}`;

const number = (text: string): string => `<td class="number">${text}</td>`;

function line(row: Row, names: readonly string[]): string {
  const { name, key, result, same } = row, status = statusOf(row);
  const title = result?.page ? `<a href="pages/${encodeURIComponent(key)}.html">${escapeHtml(name)}</a>` : escapeHtml(name);
  const twins = same.length > 0 ? `<br><small>same file as ${escapeHtml(same.join(', '))}</small>` : '';
  const differences = result?.differences ?? [];
  const text = `<pre>${escapeHtml(differences.join('\n'))}</pre>`;
  const details = differences.length > 0 ? `<details><summary>${differences.length}</summary>${text}</details>` : '0';
  return `<tr><td>${title}${twins}</td><td class="status ${status.replace(' ', '-')}">${status}</td>`
    + number(result ? `${result.ran}/${result.cells}` : '') + number(result ? formatDuration(result.seconds) : '')
    + number(result ? `${Math.round(result.peak / 1e6)} MB` : '')
    + names.map((score) => number(formatScore(result?.scores[score]))).join('')
    + `<td>${result?.ran ? details : ''}</td><td>${result?.message ? `<pre>${escapeHtml(result.message)}</pre>` : ''}</td></tr>`;
}

const formatScore = (value: number | undefined): string => (value === undefined ? '' : String(Number(value.toPrecision(4))));

export function htmlReport(rows: readonly Row[]): string {
  const names = scoreNames(rows);
  const heads = ['cells run', 'time', 'peak memory', ...names].map((head) => `<th class="number">${escapeHtml(head)}</th>`).join('');
  const summary = countStatuses(rows).map(([status, count]) => `${count} ${status}`).join(', ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Grading</title><style>${STYLE}</style></head>
<body><h1>Grading</h1><p>${rows.length} submissions: ${summary}.
Also as <a href="results.csv">CSV</a> and <a href="junit.xml">JUnit XML</a>.</p>
<table><thead><tr><th>submission</th><th>status</th>${heads}<th>differences</th><th>message</th></tr></thead><tbody>
${rows.map((row) => line(row, names)).join('\n')}
</tbody></table>
<p><small>Every notebook was run from empty outputs. Differences are between the outputs that were handed in and those of this run,
times apart. Links lead to the pages of this run.</small></p></body></html>
`;
}
