/** What a run prints: a line for each running notebook that redraws in a terminal, a few lines in a log. */
import { formatDuration } from '../../lib/notebook/duration';
import type { CellFailure, RunResult } from './run';

const REDRAW = 200, LOG_EVERY = 60_000;

const megabytes = (bytes: number | null): string => (bytes === null ? '–' : `${Math.round(bytes / 1e6)} MB`);

interface Stream { write(text: string): unknown; isTTY?: boolean; columns?: number }

interface Running { started: number; number: number; total: number; text: string; logged: number }

export class RunScreen {
  private readonly running = new Map<string, Running>();
  private timer: NodeJS.Timeout | undefined;
  /** Lines of running notebooks that stand on the terminal, the cursor at the end of the last. */
  private drawn = 0;

  constructor(private readonly stream: Stream = process.stdout) {}

  /** A line that stays, above those of the running notebooks. */
  line(text: string): void {
    this.stream.write(`${this.erase()}${text}\n`);
    if (this.stream.isTTY) this.draw();
  }

  start(name: string): void {
    const now = performance.now();
    this.running.set(name, { started: now, number: 0, total: 0, text: '', logged: now });
    this.timer ??= setInterval(() => (this.stream.isTTY ? this.draw() : this.log()), this.stream.isTTY ? REDRAW : 1000);
    if (!this.stream.isTTY) this.line(`${name}: running`);
    else this.draw();
  }

  cell(name: string, number: number, total: number): void {
    Object.assign(this.running.get(name) ?? {}, { number, total, text: '' });
  }

  note(name: string, text: string): void { Object.assign(this.running.get(name) ?? {}, { text }); }

  private erase(): string {
    const up = this.drawn > 1 ? `\x1b[${this.drawn - 1}A` : '', text = this.drawn > 0 ? `\r${up}\x1b[J` : '';
    this.drawn = 0;
    return text;
  }

  private describe({ started, number, total, text }: Running): string {
    const where = total ? `cell ${number}/${total}` : 'starting the kernel';
    return [where, formatDuration((performance.now() - started) / 1000), text].filter(Boolean).join(' · ');
  }

  private draw(): void {
    const lines = [...this.running].map(([name, one]) => {
      const done = one.total ? Math.round(((one.number - 1) / one.total) * 12) : 0;
      const line = `${name} ${'█'.repeat(done)}${'░'.repeat(12 - done)} ${this.describe(one)}`;
      return [...line].slice(0, (this.stream.columns ?? 80) - 1).join('');
    });
    this.stream.write(this.erase() + lines.join('\n'));
    this.drawn = lines.length;
  }

  private log(): void {
    const now = performance.now();
    for (const [name, one] of this.running) {
      if (now - one.logged < LOG_EVERY) continue;
      one.logged = now;
      this.line(`${name}: ${this.describe(one)}`);
    }
  }

  finish(result: RunResult): void {
    this.running.delete(result.name);
    if (this.running.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
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
