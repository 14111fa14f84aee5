/** Whether texts of a page can be read: their colour against what lies behind them. */
import type { Page } from 'playwright-core';
import type { PageDocument, PageElement } from './jupyterlab';

declare const document: PageDocument;
declare function getComputedStyle(element: PageElement): { color: string; backgroundColor: string };

/** Elements with text: of outputs in JupyterLab, of exported pages, of the list of pages. */
const TEXTS = ':is(.jp-OutputArea-output, .jp-MarkdownOutput, main, body > ul) '
  + ':is(td, th, caption, figcaption, p, b, pre, div, code, a, li, small, span, h1, h2, h3)';

/** Texts (code apart, whose colours are JupyterLab's) whose contrast with what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3). */
export function unreadable(page: Page): Promise<string[]> {
  return page.evaluate((where) => {
    const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]: number[]): number => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const behind = (element: PageElement | null): number[] => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color;
      }
      return [255, 255, 255];
    };
    const found: string[] = [];
    for (const element of document.querySelectorAll(where)) {
      if (element.children.length > 0 || !element.textContent?.trim()) continue;
      if (element.closest('.js-plotly-plot, math, .highlight') || element.offsetParent === null) continue;
      const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < 4.5) found.push(`${element.textContent.trim().slice(0, 40)}: ${contrast.toFixed(1)}`);
    }
    return found;
  }, TEXTS);
}
