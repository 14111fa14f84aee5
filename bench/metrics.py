"""The Python side of bench/metrics.ts: pycocoevalcap on tokenized captions, its Java tokenizer, NLTK's METEOR.

    python bench/metrics.py CAPTIONS.json WORDNET
"""
import json
import shutil
import sys
import tempfile
import warnings
from importlib.metadata import version

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from harness.peer import serve, timed

captions = json.load(open(sys.argv[1], encoding="utf-8"))
references = dict(enumerate(captions["references"]))
candidates = {i: [text] for i, text in enumerate(captions["candidates"])}


def measured(work):
    """Its times and what it returns."""
    found = []
    times = timed(lambda: found.extend(work()))
    return {"times": times, "scores": found}


def corpus_scores():
    bleu, _ = Bleu(4).compute_score(references, candidates, verbose=0)
    rouge, _ = Rouge().compute_score(references, candidates)
    cider, _ = Cider().compute_score(references, candidates)
    return [*bleu, float(rouge), float(cider)]


def scores():
    return measured(corpus_scores)


def tokenize():
    def run():
        tokens = PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(captions["raw"])})
        assert len(tokens) == len(captions["raw"])
        return [len(candidates)]

    try:
        return measured(run)
    except OSError as error:
        return {"missing": str(error)}


def meteor():
    try:
        from nltk.corpus.reader.wordnet import WordNetCorpusReader
        from nltk.translate.meteor_score import meteor_score
    except ImportError as error:
        return {"missing": str(error)}
    import nltk

    class Reader(WordNetCorpusReader):
        def map_wn(self, version="wordnet"):
            return None

    folder = tempfile.mkdtemp()
    try:
        for part in ["noun", "verb", "adj", "adv"]:
            for kind in ["index", "data"]:
                shutil.copy(f"{sys.argv[2]}/{kind}.{part}", folder)
            open(f"{folder}/{part}.exc", "w").close()
        with open(f"{folder}/lexnames", "w") as file:
            file.writelines(f"{i:02d}\tfile{i}\t0\n" for i in range(45))
        nltk.data.path.append(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = Reader(folder, None)

        def run():
            values = [meteor_score([t.split() for t in references[i]], candidates[i][0].split(), wordnet=reader) for i in references]
            return [sum(values) / len(values)]

        return measured(run)
    finally:
        shutil.rmtree(folder)


serve(f"pycocoevalcap {version('pycocoevalcap')}, Python {sys.version.split()[0]}", 1, scores, tokenize, meteor)
