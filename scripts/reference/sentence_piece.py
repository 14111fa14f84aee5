"""Pieces and encodings of the SentencePiece library, for the tests of lib/tokenizers/sentence-piece-bpe.

Run from the repository root:

    pip install sentencepiece==0.2.3
    python scripts/reference/sentence_piece.py                       # on the captions of data/scenes and on awkward strings
    python scripts/reference/sentence_piece.py --flickr8k DIR        # also 8,000 pieces of Flickr8k's captions, as digests only

Made with Python 3.11, sentencepiece 0.2.3. Needs test/fixtures/tokenizers/awkward.json (scripts/reference/tokenizer_texts.py). Writes
test/fixtures/tokenizers/sentence-piece.json and awkward.vocab, the library's own file of the pieces.
"""
import argparse
import hashlib
import io
import json
import random
import tempfile
from pathlib import Path

import sentencepiece

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test" / "fixtures" / "tokenizers"


def train(texts, size):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=size,
                                             hard_vocab_limit=False, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def pieces(model):
    return [model.id_to_piece(i) for i in range(model.get_piece_size())]


def digest(value):
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flickr8k", type=Path)
    arguments = parser.parse_args()
    scenes = json.loads((ROOT / "data" / "scenes" / "captions.json").read_text())
    captions = [caption for image in scenes["images"] for caption in image["captions"]]
    awkward = [text for text in json.loads((FIXTURES / "awkward.json").read_text())["texts"]]
    plain = [text for text in awkward if not any(piece in text for piece in ("<unk>", "<s>", "</s>"))]
    target = FIXTURES / "sentence-piece.json"
    result = json.loads(target.read_text()) if target.exists() else {}

    small, everything = train(captions, 600), train(captions, 8000)
    result["scenes"] = {"size": 600, "pieces": pieces(small), "ids": digest([small.encode(c) for c in captions])}
    result["scenesAll"] = {"size": 8000, "pieces": digest(pieces(everything)), "count": everything.get_piece_size(), "ids": digest([everything.encode(c) for c in captions])}

    mixture = captions[:300] + plain * 3
    mixed = train(mixture, 700)
    result["awkward"] = {"size": 700, "captions": 300, "repeats": 3, "texts": plain, "ids": [mixed.encode(t) for t in plain], "decoded": [mixed.decode(mixed.encode(t)) for t in plain]}
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(mixture), model_prefix=f"{folder}/m", model_type="bpe", vocab_size=700, minloglevel=2)
        (FIXTURES / "awkward.vocab").write_bytes(Path(folder, "m.vocab").read_bytes())

    # Marks and compatible letters in random order, through the default normalization: encoded letter by letter, spaces marked.
    random.seed(3)
    pool = list("abeqszEAı ſﬁẛ가각ᄀ까ᅥᆨᆩﾀｶﾞﾟカは漢ＡΑάήё½…") + [chr(c) for c in (
        0x300, 0x301, 0x302, 0x307, 0x308, 0x323, 0x328, 0x345, 0x3099, 0x309A, 0x340, 0x344, 0x5B7, 0x94D, 0x93C, 0x928, 0x200D, 0xFF5E, 0xFFFD, 0x85, 9,
        0x61C, 0x3000, 0x212B, 0x1E63)]
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    texts = ["".join(random.choice(pool) for _ in range(random.randint(1, 8))) for _ in range(400)]
    result["normalized"] = [[text, normalizer.normalize(text)] for text in texts]

    if arguments.flickr8k:
        lines = (arguments.flickr8k / "captions.txt").read_text(encoding="utf-8").split("\n")[1:]
        texts = [line.split(",", 1)[1] for line in lines if line]
        model = train(texts, 8000)
        result["flickr8k"] = {"size": 8000, "texts": len(texts), "pieces": digest(pieces(model)), "ids": digest([model.encode(t) for t in texts[:5000]])}
    target.write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")).replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    main()
