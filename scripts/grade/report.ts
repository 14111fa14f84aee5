/** Writes the report of a work list, of all its parts. */
import path from 'node:path';
import { writeWhole } from '../notebooks/environment';
import { csvReport } from './report-csv';
import { htmlReport } from './report-html';
import { junitReport } from './report-junit';
import { rowsOf, type Row } from './rows';
import type { Work } from './work';

export function writeReport(work: Work): { rows: Row[]; page: string } {
  const rows = rowsOf(work), page = path.join(work.report, 'index.html');
  writeWhole(path.join(work.report, 'results.csv'), csvReport(rows));
  writeWhole(path.join(work.report, 'junit.xml'), junitReport(rows));
  writeWhole(page, htmlReport(rows));
  return { rows, page };
}
