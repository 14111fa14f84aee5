"""Writes notebooks as stand-alone HTML pages: charts interactive, everything inside, nothing asked of the network.

    .venv/bin/python scripts/notebooks/export.py [--still] OUTPUT_FOLDER PLOTLY_JS NOTEBOOK...

Captions, names of files and output of models may be anything, so of a notebook's own markup nothing is left that acts, and the
browser runs no script but the charts', which it knows by their hashes. With --still charts are pictures and there is no script
at all: for notebooks of strangers.
"""
import base64
import hashlib
import html
import json
import os
import re
import sys

import nbformat
from bs4 import BeautifulSoup
from bs4.element import Doctype, PreformattedString
from nbconvert import HTMLExporter

try:
    from latex2mathml.converter import convert as mathml
except ImportError:  # formulas then stay in TeX's notation
    mathml = None

CHART = 'application/vnd.plotly.v1+json'
# The browser itself refuses whatever a page might ask from outside, and scripts that are not ours.
POLICY = ("default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
          "connect-src data: blob:; worker-src blob:; form-action 'none'; base-uri 'none'")
STYLE = 'body.jp-Notebook { max-width: 1100px; margin: 0 auto; } figure img { max-width: 100%; }'

# Elements that run, load, send or lead elsewhere by themselves. nbconvert's own scripts, which load from the network, are among them.
ACTING = ['script', 'iframe', 'frame', 'object', 'embed', 'applet', 'form', 'base', 'meta', 'link', 'portal', 'template', 'noscript',
          'set', 'animate', 'animatetransform', 'animatemotion']
ADDRESSES = {'href', 'src', 'xlink:href', 'action', 'formaction', 'poster', 'background', 'cite', 'data', 'ping', 'srcset'}
SCHEME = re.compile(r'([a-z][a-z0-9+.-]*):', re.IGNORECASE)

still = sys.argv[1] == '--still'
folder, plotly_file, *notebooks = sys.argv[2:] if still else sys.argv[1:]


def title_of(book, fallback):
    for cell in book.cells:
        if cell.cell_type == 'markdown':
            for line in cell.source.splitlines():
                if line.startswith('# '):
                    return line[2:].strip()
    return fallback


def draw_charts(book):
    """Turns charts into elements that plotly.js draws when the page opens; returns the scripts that do so."""
    scripts = []
    for cell in book.cells:
        for output in cell.get('outputs', []):
            figure = output.get('data', {}).get(CHART)
            if figure is None:
                continue
            name = f'chart-{len(scripts) + 1}'
            # "<" inside JSON would end the script or open a comment in it.
            text = json.dumps({'data': figure.get('data', []), 'layout': figure.get('layout', {})}).replace('<', '\\u003c')
            label = html.escape(''.join(output['data'].get('text/plain', 'chart')).strip('[]'))
            output['data'] = {'text/html': f'<div id="{name}" class="chart" role="img" aria-label="{label}"></div>'}
            scripts.append(f'(f => Plotly.newPlot("{name}", f.data, f.layout, {{responsive: true, displaylogo: false}}))({text});')
    return scripts


def describe_pictures(book):
    """Gives pictures the text that stands beside them, for those who cannot see them; nbconvert's template has no place for it."""
    for cell in book.cells:
        for output in cell.get('outputs', []):
            data = output.get('data', {})
            kind = next((kind for kind in ('image/png', 'image/jpeg') if kind in data), None)
            if kind is None or 'text/html' in data or 'text/plain' not in data:
                continue
            words, picture = ' '.join(''.join(data['text/plain']).split()), ''.join(''.join(data[kind]).split())
            output['data'] = {'text/html': f'<img alt="{html.escape(words)}" src="data:{kind};base64,{html.escape(picture)}">'}


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


def leads_away(address):
    """Whether an address is of a scheme that runs something; browsers pass over blanks and control characters in it."""
    scheme = SCHEME.match(re.sub(r'[\x00-\x20\x7f]', '', address))
    if scheme is None:
        return False
    return scheme[1].lower() not in ('http', 'https', 'mailto') and not re.match(r'data:image/(png|jpeg|gif|webp|avif|svg\+xml)[;,]', address)


def make_harmless(page):
    """Takes out of a page whatever acts: elements, attributes that listen, addresses that run."""
    soup = BeautifulSoup(page, 'html.parser')
    for element in soup.find_all(ACTING):
        element.decompose()
    # Where comments, declarations and styles end is not the same to this parser and to every browser.
    for text in soup.find_all(string=lambda text: isinstance(text, PreformattedString) and not isinstance(text, Doctype)):
        text.extract()
    for style in soup.body.find_all('style'):
        style.decompose()
    for element in soup.find_all(True):
        for name, value in list(element.attrs.items()):
            value = ' '.join(value) if isinstance(value, list) else value or ''
            if name.lower().startswith('on') or name.lower() in ('srcdoc', 'autofocus') or name.lower() in ADDRESSES and leads_away(value):
                del element.attrs[name]
    return str(soup)


def script_element(text):
    return f'<script>{text}</script>'


def hash_of(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def dark_theme(exporter):
    """nbconvert's dark theme, which is nothing but other values of the same variables, for readers whose system is set to dark."""
    colors = exporter.environment.loader.get_source(exporter.environment, 'static/theme-dark.css')[0]
    return f'<style>@media screen and (prefers-color-scheme: dark) {{ {colors} :root {{ color-scheme: dark; }} }}</style>'


def write_whole(path, text):
    # Half of a pair of surrogates is no character: a question mark then.
    with open(f'{path}.tmp', 'w', encoding='utf-8', errors='replace', newline='') as file:
        file.write(text)
    os.replace(f'{path}.tmp', path)


os.makedirs(folder, exist_ok=True)
for path in notebooks:
    name = os.path.splitext(os.path.basename(path))[0]
    book = nbformat.read(path, as_version=4)
    title = title_of(book, name)
    charts = [] if still else draw_charts(book)
    describe_pictures(book)
    draw_formulas(book)
    exporter = HTMLExporter(mathjax_url='', require_js_url='', jquery_url='', mermaid_js_url='', widget_renderer_url='', embed_images=True)
    page, _ = exporter.from_notebook_node(book, resources={'metadata': {'name': name, 'path': os.path.dirname(os.path.abspath(path))}})
    page = make_harmless(page)
    scripts = list(charts)
    if charts:
        with open(plotly_file, encoding='utf-8') as file:
            scripts.insert(0, file.read().replace('</script', '<\\/script'))
    policy = POLICY.format(scripts=' '.join(map(hash_of, scripts)) or "'none'")
    head = ('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{STYLE}</style><title>{html.escape(title)}</title>')
    before, mark, after = page.partition('<head>')
    start, end, rest = after.rpartition('</body>')
    if not mark or not end:
        sys.exit(f'{path}: the exported page has no <head> or <body>; nbconvert may have changed.')
    start = re.sub(r'<title>.*?</title>', '', start, count=1, flags=re.DOTALL)
    start = start.replace('</head>', f'{dark_theme(exporter)}</head>', 1)
    write_whole(os.path.join(folder, f'{name}.html'), before + mark + head + start + ''.join(map(script_element, scripts)) + end + rest)
    print(json.dumps({'name': name, 'title': title, 'charts': len(charts)}), flush=True)
