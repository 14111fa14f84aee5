/** JupyterLab as `npm run lab` starts it, and a headless Chromium that looks at it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { buildFolder, root } from '../../scripts/notebooks/environment';

export const browserFolder = path.join(buildFolder, 'browser');

/** CHROMIUM, or where distributions put it. */
export function findChromium(): string | undefined {
  const places = [process.env.CHROMIUM, ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];
  return places.find((file) => file !== undefined && fs.existsSync(file));
}

export const INSTALL_HINT = 'No Chromium found, so NOTHING WAS TESTED IN A BROWSER. Install one (Debian, Ubuntu: apt-get update && apt-get install -y chromium) '
  + 'or set CHROMIUM to its path, and run `npm run test:browser` again.';

export const launch = (executablePath: string): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

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

export interface CellState { source: string; count: number | null; outputs: { type: string; text: string; mimes: string[] }[] }

/** What functions sent to the page see there; the project's types have no browser in them. */
export interface PageElement {
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  readonly scrollHeight: number;
  readonly naturalWidth: number;
  readonly outerHTML: string;
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
    commands: { execute(command: string): Promise<unknown> };
    shell: { currentWidget: { sessionContext: { session: { kernel: { status: string } | null } | null }; content: { model: { sharedModel: { toJSON(): unknown } } } } };
  };
}

declare const window: LabWindow, document: PageDocument;

/** Carries out one of JupyterLab's commands. */
export const command = (page: Page, name: string): Promise<unknown> => page.evaluate((id) => window.jupyterapp.commands.execute(id).then(() => null), name);

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
      if (server.exitCode !== null || Date.now() - start > 60_000) {
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

  /** Answers of the server's interface. */
  async get(address: string): Promise<unknown> {
    const response = await fetch(`${this.origin}${address}`, { headers: { Authorization: `token ${this.token}` } });
    return response.json();
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

/** Waits until every code cell ran and the kernel rests, or one failed. */
export async function untilDone(page: Page, timeout: number): Promise<CellState[]> {
  for (const start = Date.now(); ; await page.waitForTimeout(250)) {
    const state = await cells(page);
    const failed = state.some((cell) => cell.outputs.some((output) => output.type === 'error'));
    const status = await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status);
    if (failed || (status === 'idle' && state.every((cell) => cell.count !== null))) return state;
    if (Date.now() - start > timeout) throw new Error(`not done after ${timeout / 1000} s; ran ${state.filter((cell) => cell.count !== null).length} of ${state.length} cells`);
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
