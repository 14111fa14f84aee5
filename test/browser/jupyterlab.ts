/** JupyterLab as `npm run lab` starts it, and a headless Chromium that looks at it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { buildFolder, notebooksFolder, root } from '../../scripts/notebooks/environment';

export const browserFolder = path.join(buildFolder, 'browser');

/** CHROMIUM, where distributions put it, or what Playwright has downloaded. */
export function findChromium(): string | undefined {
  const linux = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`);
  const mac = ['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  const places = [process.env.CHROMIUM, ...linux, ...mac, chromium.executablePath()];
  return places.find((file) => file && fs.existsSync(file));
}

export const INSTALL_HINT = 'No Chromium here, so nothing was tested in a browser: '
  + 'install one (apt-get install chromium) or set CHROMIUM to its path.';

export const launch = (executablePath: string): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

/** The files of notebooks/, or of those alone that BROWSER_NOTEBOOKS="00 03" names. */
export function wantedNotebooks(): string[] {
  const wanted = process.env.BROWSER_NOTEBOOKS?.split(/\s+/).filter(Boolean);
  const all = fs.readdirSync(notebooksFolder).filter((file) => file.endsWith('.ipynb')).sort();
  return all.filter((file) => wanted?.some((name) => file.startsWith(name)) ?? true);
}

const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = net.createServer();
  server.on('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as net.AddressInfo;
    server.close(() => resolve(port));
  });
});

/** Only 127.0.0.1 and what the page holds itself; everything else is refused and recorded. */
export async function keepInside(page: Page, outside: string[]): Promise<void> {
  // The compiler that runs the tests marks functions with a helper, which functions sent to the page would miss.
  await page.addInitScript('globalThis.__name = (value) => value');
  await page.route('**/*', (route) => {
    const { protocol, hostname } = new URL(route.request().url());
    if (['data:', 'blob:', 'file:', 'about:'].includes(protocol) || hostname === '127.0.0.1') return route.continue();
    outside.push(route.request().url());
    return route.abort();
  });
}

/** Writes a notebook into the folder of these tests; the path to open it by. A text is a code cell; `raises` lets the next ones run. */
export function writeNotebook(name: string, sources: readonly (string | { raises: string })[]): string {
  const cells = sources.map((cell, i) => {
    const [source, tags] = typeof cell === 'string' ? [cell, []] : [cell.raises, ['raises-exception']];
    return { cell_type: 'code', id: `c${i + 1}`, source, metadata: { tags }, outputs: [], execution_count: null };
  });
  const kernelspec = { display_name: 'TypeScript (captioning)', language: 'typescript', name: 'tslab' };
  const file = path.join(browserFolder, `${name}.ipynb`);
  fs.writeFileSync(file, JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
  return path.relative(root, file);
}

export interface CellState { source: string; count: number | null; outputs: { type: string; text: string; mimes: string[] }[] }

/** What functions sent to the page see there; the project's types have no browser in them. */
export interface PageElement {
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  readonly scrollHeight: number;
  readonly naturalWidth: number;
  readonly outerHTML: string;
  readonly textContent: string | null;
  readonly parentElement: PageElement | null;
  /** null where it is not shown. */
  readonly offsetParent: PageElement | null;
  readonly children: { readonly length: number };
  closest(selector: string): PageElement | null;
  scrollTo(x: number, y: number): void;
}
export interface PageDocument {
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): { readonly length: number } & Iterable<PageElement>;
  readonly images: Iterable<PageElement>;
}

/** JupyterLab's own objects, as far as they are used here. */
interface LabWindow {
  jupyterapp: {
    commands: { execute(command: string, args?: object): Promise<unknown> };
    shell: { currentWidget: { sessionContext: { session: { kernel: { status: string } | null } | null }; content: { model: { sharedModel: { toJSON(): unknown } } } } };
  };
}

declare const window: LabWindow, document: PageDocument;

/** Carries out one of JupyterLab's commands. */
export const command = (page: Page, name: string, args = {}): Promise<unknown> =>
  page.evaluate(([id, given]) => window.jupyterapp.commands.execute(id as string, given as object).then(() => null), [name, args]);

export class Lab {
  private constructor(private readonly server: ChildProcess, readonly origin: string, readonly token: string, readonly log: () => string) {}

  static async start(): Promise<Lab> {
    const port = await freePort(), token = randomBytes(16).toString('hex');
    const home = path.join(browserFolder, 'home');
    fs.rmSync(home, { recursive: true, force: true });
    const settings = path.join(home, 'settings', '@jupyterlab');
    const write = (file: string, value: object): void => {
      fs.mkdirSync(path.dirname(path.join(settings, file)), { recursive: true });
      fs.writeFileSync(path.join(settings, file), JSON.stringify(value));
    };
    // Every cell is drawn even when it is not on screen, and nothing is saved unless a test says so.
    write('notebook-extension/tracker.jupyterlab-settings', { windowingMode: 'none' });
    write('docmanager-extension/plugin.jupyterlab-settings', { autosave: false });
    const folders = Object.fromEntries(['CONFIG_DIR', 'RUNTIME_DIR', 'DATA_DIR'].map((name) => [`JUPYTER_${name}`, path.join(home, name.toLowerCase())]));
    const args = ['scripts/notebooks.ts', 'lab', '--no-browser', `--port=${port}`, '--ServerApp.port_retries=0', '--expose-app-in-browser'];
    const server = spawn(process.execPath, [require.resolve('tsx/cli'), ...args], {
      cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...folders, JUPYTER_TOKEN: token, JUPYTERLAB_SETTINGS_DIR: path.join(home, 'settings'), JUPYTERLAB_WORKSPACES_DIR: path.join(home, 'workspaces') },
    });
    let log = '';
    for (const stream of [server.stdout!, server.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => { log += text; });
    const lab = new Lab(server, `http://127.0.0.1:${port}`, token, () => log);
    for (const start = Date.now(); ; await new Promise((resolve) => { setTimeout(resolve, 200); })) {
      const up = await fetch(`${lab.origin}/api/status`, { headers: { Authorization: `token ${token}` } }).then((response) => response.ok, () => false);
      if (up) return lab;
      if (server.exitCode !== null || Date.now() - start > 180_000) {
        await lab.stop();
        throw new Error(`JupyterLab did not start:\n${log.slice(-3000)}`);
      }
    }
  }

  /** Opens a notebook by its path below the project. */
  async open(page: Page, notebook: string): Promise<void> {
    await page.goto(`${this.origin}/lab/tree/${notebook}?reset&token=${this.token}`);
    await page.locator('.jp-Notebook .jp-Cell').first().waitFor({ timeout: 60_000 });
    await page.waitForFunction(() => {
      const status = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status;
      return status === 'idle';
    }, undefined, { timeout: 60_000 });
  }

  async stop(): Promise<void> {
    if (this.server.exitCode !== null) return;
    const ended = new Promise((resolve) => { this.server.on('close', resolve); });
    process.kill(-this.server.pid!, 'SIGTERM');
    await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, 15_000).unref(); })]);
    if (this.server.exitCode === null && this.server.signalCode === null) process.kill(-this.server.pid!, 'SIGKILL');
  }
}

/** Run ▸ Run All Cells, by the menu as a reader would. */
export async function runAll(page: Page): Promise<void> {
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
}

/** Runs the code cell at this place, from 0, as by Shift+Enter. */
export async function runCell(page: Page, at: number): Promise<void> {
  await page.locator('.jp-CodeCell').nth(at).locator('.cm-content').click();
  await page.keyboard.press('Shift+Enter');
}

/** Waits until no cell runs or is queued. */
export async function untilRested(page: Page, timeout = 20_000): Promise<void> {
  await page.waitForTimeout(200);
  await page.waitForFunction(() => {
    const { status } = window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel ?? {};
    return status === 'idle' && [...document.querySelectorAll('.jp-InputPrompt')].every((prompt) => !prompt.textContent?.includes('*'));
  }, undefined, { timeout });
}

/** The code cells as JupyterLab holds them. */
export function cells(page: Page): Promise<CellState[]> {
  return page.evaluate(() => {
    interface Output { output_type: string; text?: string | string[]; data?: Record<string, unknown>; ename?: string; evalue?: string }
    interface Cell { cell_type: string; source: string | string[]; execution_count: number | null; outputs: Output[] }
    const join = (text: unknown): string => (Array.isArray(text) ? text.join('') : String(text ?? ''));
    const notebook = window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON() as { cells: Cell[] };
    return notebook.cells.filter((cell) => cell.cell_type === 'code' && join(cell.source).trim()).map((cell) => ({
      source: join(cell.source), count: cell.execution_count,
      outputs: cell.outputs.map((output) => ({
        type: output.output_type, mimes: Object.keys(output.data ?? {}),
        text: output.output_type === 'error' ? `${output.ename}: ${output.evalue}` : join(output.text ?? output.data?.['text/plain']),
      })),
    }));
  });
}

/** The errors of a notebook, with their cells. */
export const errors = (state: CellState[]): string[] =>
  state.flatMap((cell, i) => cell.outputs.filter((output) => output.type === 'error').map((output) => `cell ${i + 1}: ${output.text}`));

/** Charts, and pictures that were really decoded, within the notebook on screen. */
export const drawn = (page: Page): Promise<{ charts: number; pictures: number; broken: number }> => page.evaluate(() => {
  const pictures = [...document.querySelectorAll('.jp-OutputArea img:not(.plot-img)')];
  return {
    charts: [...document.querySelectorAll('.jp-OutputArea .js-plotly-plot')]
      .filter((plot) => plot.querySelector('.main-svg path, .main-svg rect, .main-svg image') !== null).length,
    pictures: pictures.filter((picture) => picture.naturalWidth > 0).length,
    broken: pictures.filter((picture) => picture.naturalWidth === 0).length,
  };
});

/** Waits until every code cell ran and the kernel rests, or one failed that was not expected to. */
export async function untilDone(page: Page, timeout: number, { failing = false } = {}): Promise<CellState[]> {
  for (const start = Date.now(); ; await page.waitForTimeout(250)) {
    const state = await cells(page);
    const failed = !failing && state.some((cell) => cell.outputs.some((output) => output.type === 'error'));
    const status = await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status);
    if (failed || (status === 'idle' && state.every((cell) => cell.count !== null))) return state;
    if (Date.now() - start <= timeout) continue;
    const ran = state.filter((cell) => cell.count !== null).length;
    throw new Error(`not done after ${timeout / 1000} s; ran ${ran} of ${state.length} cells`);
  }
}

/** A picture of the whole notebook, every cell of it. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const height = await page.evaluate(() => document.querySelector('.jp-Notebook .jp-WindowedPanel-viewport')?.scrollHeight ?? 2000);
  await page.setViewportSize({ width: 1280, height: Math.min(height + 160, 12_000) });
  await page.evaluate(() => document.querySelector('.jp-Notebook .jp-WindowedPanel-outer')?.scrollTo(0, 0));
  await page.waitForTimeout(1500); // charts redraw after a change of size
  const file = path.join(browserFolder, `${name}.png`);
  await page.screenshot({ path: file });
  return file;
}
