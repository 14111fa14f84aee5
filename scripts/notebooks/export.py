"""Writes notebooks as stand-alone HTML pages: charts interactive, everything inside, nothing asked of the network.

    .venv/bin/python scripts/notebooks/export.py [--still] OUTPUT_FOLDER PLOTLY_JS NOTEBOOK...

With --still charts are pictures and the browser runs no script of the page: for notebooks of strangers.
"""
import html
import json
import os
import re
import sys

import nbformat
from nbconvert import HTMLExporter

try:
    from latex2mathml.converter import convert as mathml
except ImportError:  # formulas then stay in TeX's notation
    mathml = None

CHART = 'application/vnd.plotly.v1+json'
# The browser itself refuses whatever a page might ask from outside.
POLICY = ("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
          "connect-src data: blob:; worker-src blob:")
STYLE = 'body.jp-Notebook { max-width: 1100px; margin: 0 auto; } figure img { max-width: 100%; }'

# What nbconvert's template loads from the network even when it is given no address.
LOADERS = [re.compile(pattern, re.DOTALL) for pattern in (
    r'<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->',
    r'<script type="module">\s*document\.addEventListener\("DOMContentLoaded".*?</script>',
    r'<script src=""\s*>\s*</script>')]

still = sys.argv[1] == '--still'
folder, plotly_file, *notebooks = sys.argv[2:] if still else sys.argv[1:]
if still:
    POLICY = POLICY.replace("script-src 'unsafe-inline'", "script-src 'none'") + "; form-action 'none'; base-uri 'none'"


def title_of(book, fallback):
    for cell in book.cells:
        if cell.cell_type == 'markdown':
            for line in cell.source.splitlines():
                if line.startswith('# '):
                    return line[2:].strip()
    return fallback


def draw_charts(book):
    """Turns charts into elements that plotly.js draws when the page opens; returns how many there are."""
    count = 0
    for cell in book.cells:
        for output in cell.get('outputs', []):
            figure = output.get('data', {}).get(CHART)
            if figure is None:
                continue
            count += 1
            # "<" inside JSON would end the script or open a comment in it.
            text = json.dumps({'data': figure.get('data', []), 'layout': figure.get('layout', {})}).replace('<', '\\u003c')
            text = text.replace('\u2028', '\\u2028').replace('\u2029', '\\u2029')
            label = html.escape(''.join(output['data'].get('text/plain', 'chart')).strip('[]'))
            output['data'] = {'text/html': f'<div id="chart-{count}" class="chart" role="img" aria-label="{label}"></div><script>(f => Plotly.newPlot("chart-{count}", '
                                           f'f.data, f.layout, {{responsive: true, displaylogo: false}}))({text});</script>'}
    return count


def describe_pictures(book):
    """Gives pictures the text that stands beside them, for those who cannot see them; nbconvert's template has no place for it."""
    for cell in book.cells:
        for output in cell.get('outputs', []):
            data = output.get('data', {})
            kind = next((kind for kind in ('image/png', 'image/jpeg') if kind in data), None)
            if kind is None or 'text/html' in data or 'text/plain' not in data:
                continue
            words, picture = ' '.join(''.join(data['text/plain']).split()), ''.join(''.join(data[kind]).split())
            output['data'] = {'text/html': f'<img alt="{html.escape(words)}" src="data:{kind};base64,{picture}">'}


# Code first, so that a dollar sign in it is left alone; then $$display$$ and $inline$ as Jupyter reads them.
FORMULA = re.compile(r'(?P<code>^(?P<fence>```+|~~~+).*?^(?P=fence)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))'
                     r'|(?<!\\)\$\$(?P<display>.+?)\$\$|(?<![\\$])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])', re.DOTALL | re.MULTILINE)


def draw_formulas(book):
    """Turns TeX in Markdown cells into MathML, which browsers draw by themselves: MathJax would be loaded from the network."""
    def draw(match):
        if match['code']:
            return match[0]
        try:
            block = match['display'] is not None
            return mathml(match['display'] if block else match['inline'], display='block' if block else 'inline')
        except Exception:  # TeX that the converter does not know stays as it is
            return match[0]
    for cell in book.cells:
        if mathml and cell.cell_type == 'markdown':
            cell.source = FORMULA.sub(draw, cell.source)


def write_whole(path, text):
    with open(f'{path}.tmp', 'w', encoding='utf-8') as file:
        file.write(text)
    os.replace(f'{path}.tmp', path)


os.makedirs(folder, exist_ok=True)
for path in notebooks:
    name = os.path.splitext(os.path.basename(path))[0]
    book = nbformat.read(path, as_version=4)
    title = title_of(book, name)
    charts = 0 if still else draw_charts(book)
    describe_pictures(book)
    draw_formulas(book)
    exporter = HTMLExporter(mathjax_url='', require_js_url='', jquery_url='', mermaid_js_url='', widget_renderer_url='', embed_images=True)
    page, _ = exporter.from_notebook_node(book, resources={'metadata': {'name': name, 'path': os.path.dirname(os.path.abspath(path))}})
    for loader in LOADERS:
        page = loader.sub('', page)
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style>'
    if charts:
        with open(plotly_file, encoding='utf-8') as file:
            head += '<script>' + file.read().replace('</script', '<\\/script') + '</script>'
    before, mark, after = page.partition('<head>')
    if not mark:
        sys.exit(f'{path}: the exported page has no <head>; nbconvert may have changed.')
    start, _, rest = after.partition('<title>')
    after = f'{start}<title>{html.escape(title)}</title>{rest.partition("</title>")[2]}'
    write_whole(os.path.join(folder, f'{name}.html'), before + '<head>' + '<meta charset="utf-8">' + head + after)
    print(json.dumps({'name': name, 'title': title, 'charts': charts}), flush=True)
