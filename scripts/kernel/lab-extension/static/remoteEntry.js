/**
 * An extension of JupyterLab, as it is: what pictures and charts show is told to those who cannot see them. JupyterLab draws an output's
 * picture without the text that stands beside it (text/plain), and its chart renderer does so, too; here the text becomes the picture's
 * alternative and the chart's label.
 *
 * JupyterLab asks a container by its name for init() and get() (webpack's module federation); it needs no build, since it imports nothing.
 */
(() => {
  /** Pictures are described again at most this often, in milliseconds. */
  const PAUSE = 300;

  const wordsOf = (model) => {
    const text = model?.data?.['text/plain'];
    return (Array.isArray(text) ? text.join('') : String(text ?? '')).replace(/^\[([^]*)\]$/, '$1').replace(/\s+/g, ' ').trim();
  };
  const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };

  function describe({ widgets, model }) {
    widgets.forEach(({ node }, i) => {
      const pictures = node.querySelectorAll('.jp-RenderedImage img, .jp-RenderedSVG img, .jp-RenderedPlotly > img');
      const charts = node.querySelectorAll('.jp-RenderedPlotly');
      if (pictures.length + charts.length === 0) return;
      const words = wordsOf(model.get(i));
      if (words === '') return;
      for (const picture of pictures) set(picture, 'alt', words);
      for (const chart of charts) {
        // Not "img", which would hide the buttons for zoom and download.
        set(chart, 'role', 'figure');
        set(chart, 'aria-label', words);
      }
    });
  }

  function activate({ shell }) {
    const describeAll = () => {
      for (const { content } of shell.widgets('main')) for (const cell of content?.widgets ?? []) if (cell.outputArea) describe(cell.outputArea);
    };
    let waiting = false;
    new MutationObserver(() => {
      if (waiting) return;
      waiting = true;
      setTimeout(() => { waiting = false; describeAll(); }, PAUSE);
    }).observe(document.body, { childList: true, subtree: true });
  }

  const plugin = { id: 'captioning-lab:words', description: 'Words for pictures and charts', autoStart: true, activate };
  (globalThis._JUPYTERLAB ??= {})['captioning-lab'] = { init: () => {}, get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })) };
})();
