/** What a run prints: one line that redraws in a terminal, a few lines in a log. */
import { formatDuration } from '../../lib/notebook/duration';
import type { CellFailure, RunResult } from './run';

const REDRAW = 200, LOG_EVERY = 60_000;

const megabytes = (bytes: number | null): string => (bytes === null ? '–' : `${Math.round(bytes / 1e6)} MB`);

interface Stream { write(text: string): unknown; isTTY?: boolean; columns?: number }

export class RunScreen {
  private name = '';
  private started = 0;
  private number = 0;
  private total = 0;
  private text = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: Stream = process.stdout) {}

  line(text: string): void {
    this.stream.write(`${this.stream.isTTY ? '\r\x1b[2K' : ''}${text}\n`);
  }

  start(name: string): void {
    Object.assign(this, { name, started: performance.now(), number: 0, total: 0, text: '' });
    if (!this.stream.isTTY) this.line(`${name}: running`);
    this.timer = setInterval(() => this.draw(), this.stream.isTTY ? REDRAW : LOG_EVERY);
    this.draw(true);
  }

  cell(number: number, total: number): void {
    Object.assign(this, { number, total, text: '' });
  }

  note(text: string): void { this.text = text; }

  private draw(first = false): void {
    const where = this.total ? `cell ${this.number}/${this.total}` : 'starting the kernel';
    const parts = [where, formatDuration((performance.now() - this.started) / 1000), this.text].filter(Boolean).join(' · ');
    if (!this.stream.isTTY) {
      if (!first) this.line(`${this.name}: ${parts}`);
      return;
    }
    const done = this.total ? Math.round(((this.number - 1) / this.total) * 12) : 0;
    const line = `${this.name} ${'█'.repeat(done)}${'░'.repeat(12 - done)} ${parts}`;
    this.stream.write(`\r\x1b[2K${[...line].slice(0, (this.stream.columns ?? 80) - 1).join('')}`);
  }

  finish(result: RunResult): void {
    clearInterval(this.timer);
    this.line(`${result.passed ? '✓' : '✗'} ${result.name}: ${result.cells} cells, ${result.seconds.toFixed(1)} s`);
  }

  /** The failing cell's source with its number, and the stack. */
  fail(name: string, failure: CellFailure, copy: string): void {
    const headline = { error: '', timeout: 'Time is up: ', died: 'Kernel died: ', skipped: 'Skipped: ', other: '', size: 'Too large: ', changed: '' }[failure.kind];
    const where = failure.number ? `, code cell ${failure.number}` : '';
    const message = failure.traceback?.length ? '' : `${headline}${failure.ename ? `${failure.ename}: ` : ''}${failure.message}`;
    this.line(`\n── ${name}${where} ${'─'.repeat(Math.max(4, 60 - name.length - where.length))}`);
    if (failure.source) this.line(failure.source.split('\n').map((text, i) => `${String(i + 1).padStart(4)} │ ${text}`).join('\n') + '\n');
    if (message) this.line(message);
    if (failure.traceback?.length) this.line(failure.traceback.join('\n'));
    this.line(`\nNothing was written back. What ran is in ${copy}.\n`);
  }

  table(results: readonly RunResult[], wanted: number): void {
    const rows = [['notebook', 'cells', 'seconds', 'peak memory', 'result'],
      ...results.map((r) => [r.name, String(r.cells), r.seconds.toFixed(1), megabytes(r.peak), r.passed ? 'passed' : 'FAILED'])];
    const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
    const aligned = rows.map((row) => row.map((text, c) => (c === 0 || c === 4 ? text.padEnd(widths[c]) : text.padStart(widths[c]))).join('   ').trimEnd());
    const passed = results.filter((r) => r.passed).length;
    const notRun = wanted - results.length;
    this.line(`\n${aligned.join('\n')}\n\n${passed} passed, ${results.length - passed} failed${notRun ? `, ${notRun} not run` : ''}`);
  }
}
