"""The Python side of bench/metrics.ts: pycocoevalcap on tokenized captions, its Java tokenizer, NLTK's METEOR.

    python bench/metrics.py CAPTIONS.json WORDNET    reads the name of a task a line, answers {"seconds": ..., "scores": [...]}
"""
import json
import shutil
import sys
import tempfile
import time
import warnings
from importlib.metadata import version

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

captions = json.load(open(sys.argv[1], encoding="utf-8"))
references = dict(enumerate(captions["references"]))
candidates = {i: [text] for i, text in enumerate(captions["candidates"])}


def scores():
    bleu, _ = Bleu(4).compute_score(references, candidates, verbose=0)
    rouge, _ = Rouge().compute_score(references, candidates)
    cider, _ = Cider().compute_score(references, candidates)
    return [*bleu, float(rouge), float(cider)]


def tokenize():
    tokens = PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(captions["raw"])})
    assert len(tokens) == len(captions["raw"])
    return [len(candidates)]


def meteor():
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader
    from nltk.translate.meteor_score import meteor_score

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
        start = time.perf_counter()
        values = [meteor_score([text.split() for text in references[i]], candidates[i][0].split(), wordnet=reader) for i in references]
        return time.perf_counter() - start, [sum(values) / len(values)]
    finally:
        shutil.rmtree(folder)


print(f"pycocoevalcap {version('pycocoevalcap')}, Python {sys.version.split()[0]}", flush=True)
for line in sys.stdin:
    try:
        start = time.perf_counter()
        result = {"tokenize": tokenize, "bleu+rouge+cider": scores, "meteor": meteor}[line.strip()]()
        seconds = time.perf_counter() - start
        if isinstance(result, tuple):
            seconds, result = result
        print(json.dumps({"seconds": seconds, "scores": result}), flush=True)
    except (ImportError, OSError) as error:
        print(json.dumps({"missing": str(error)}), flush=True)
