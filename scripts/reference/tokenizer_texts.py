"""Tiny tokenizers of three kinds, and what Python's tokenizers and transformers make of awkward strings with them and with published ones.

Run from the repository root:

    pip install tokenizers==0.23.3 transformers==5.23.0
    python scripts/reference/tokenizer_texts.py                     # the tiny tokenizers and their expectations
    python scripts/reference/tokenizer_texts.py --published DIR     # also those of the published files in DIR (smolvlm-256m,
                                                               # bert-base-uncased, clip, gpt2), of which only ids are written

Made with Python 3.11, tokenizers 0.23.3, transformers 5.23.0. Writes into test/fixtures/tokenizers:
  awkward.json       the strings and the pairs
  NAME/              a tiny tokenizer trained on the captions of data/scenes and on the strings themselves, as transformers saves it,
                     with the older vocabulary files beside it; NAME is byte-level-bpe, word-piece or clip-bpe
  NAME.json          for each string its ids and their text; pairs, truncation, padding, special ids and chat prompts
"""
import argparse
import gzip
import json
import shutil
from pathlib import Path

from tokenizers import models, trainers
from transformers import BertTokenizer, CLIPTokenizer, GPT2Tokenizer, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test" / "fixtures" / "tokenizers"

AWKWARD = [
    "", " ", "   ", "\n", "\t", "\r\n\r\n", "a", " a", "a ", "  two  spaces  ", "line one\nline two\n\n\nline five ", "tab\tand\u00a0no-break\u2003em space",
    "A dog runs across the grass.", "Two children's kites; they've flown, haven't they? I'm sure he'd say we'll do not!", "DON'T SHOUT, IT'S RUDE",
    "don’t “quote” — dash … ellipsis", "naïve café résumé Ångström", "cafe\u0301 e\u0301\u0323 decomposed", "İstanbul IĞDIR ß ẞ ﬁ ﬀ ŉ ǅ",
    "ΟΔΥΣΣΕΥΣ ΟΔΟΣ Σ ς σ", "Привет, мир! Ёлка Йод", "שָׁלוֹם עולם", "مرحبا بالعالم ١٢٣", "नमस्ते दुनिया १२", "สวัสดีชาวโลก",
    "这是一只狗。", "漢字かなカナｶﾅ mixed漢字text", "한국어 한국", "𠀀𠀁 astral 𪚥 CJK 𫝀 𫠠 compat 丽 豈", "全角ＡＢＣ１２３！？",
    "🐶", "a 🐶 dog 👩‍👩‍👧‍👦 family 🇬🇧 flag 👍🏽 thumb ❤️", "☃☄★♥♪ © ® ™ ° ± × ÷", "emoji🙂in🙂words",
    "0 1 12 123 1234 12345 1,234.56 3.14e-10", "½ ¼ ² ³ ¹ ① Ⅷ ⅷ ㉈ 一二三 x² H₂O 10²³", " ½ ½½ a½b ７７", "1st 2nd B2B 4x4 v1.0.2",
    "\u0000nul\u0001\u0002\u001b[0m\u007f", "zero\u200bwidth\u200cjoin\u200der\u2060word\ufeffbom", "\ufeffstart bom", "next\u0085line a\u0085 \u0085b", "line\u2028sep para\u2029sep",
    "soft\u00adhyphen \u202ertl\u202c", "private \ue000 use \U000f0000 x", "unassigned \u0378 \u0e5d \U000e0080 nonchar \uffff \ufffe", "replacement \ufffd char",
    "a\u0300\u0301\u0302\u0303\u0304 zalgo t\u0336e\u0336x\u0336t", "\u0301starts with a mark", "ǰ ṩ \u1e9b\u0323 ΐ ﬗ", "ᾼ ᾳ Ά ΑΙ",
    "snake_case camelCase kebab-case path/to/file.txt C:\\x", "https://example.org/a?b=c&d=%20e#f user@example.com", "<b>bold</b> &amp; {json: [1, 2]} `code` $x^2$ ~|~",
    "!!!???...,,,;;;:::", "''''\"\"\"\"", "' s 's 't n't 'VE 'Re", "x" * 99, "x" * 100, "x" * 101, "ab" * 400, "é" * 120, "🐶" * 60, "漢" * 120, "Pneumonoultramicroscopicsilicovolcanoconiosis",
    "[CLS] [SEP] [PAD] [UNK] [MASK] [cls]", "a[SEP]b [MASK]ed", "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|startoftext|>x<|endoftext|>", "<|ENDOFTEXT|> <| endoftext |>",
    "<|im_start|>User: hi<end_of_utterance>\nAssistant:", "<image><fake_token_around_image><global-img>", "<row_1_col_1><image><row_1_col_2>", "##ing ##", "</w> a</w>", "Ġ Ċ ▁ Ā",
    "trailing newline\n", "\nleading newline", "a  \n  b", "   a   b   ", "a\u3000b\u1680c\u205fd", "\u180e mongolian", "q\u0323\u0307 d\u0307\u0323", "\u1100\u1161\u11a8 jamo", "Å K Ω singletons",
]
PAIRS = [["a dog", "a cat"], ["a dog", ""], ["", "a cat"], ["", ""], ["one two three four five six", "seven eight"], ["x", "a much longer second sentence, with ten words or so"],
         ["equal length one", "equal length two"]]
TRUNCATIONS = [2, 3, 4, 5, 6, 7, 8, 9, 12]
LONG = "a small red boat with two people in it drifts past the old harbour at dawn"
CONVERSATIONS = [
    [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Describe this image."}]}],
    [{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "image"}, {"type": "text", "text": "?\n"}]},
     {"role": "assistant", "content": [{"type": "text", "text": "A dog."}]}, {"role": "USER two", "content": [{"type": "text", "text": ""}]}],
]


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("},{", "},\n{").replace("],[", "],\n[") + "\n")


def expectations(t, chat=False):
    """What the transformers tokenizer `t` gives."""
    sides = {}
    for side in ("left", "right"):
        t.truncation_side = side
        sides[side] = [{"maxLength": n, "text": ids(t(LONG, truncation=True, max_length=n)),
                        "pairs": [ids(one(t, pair, truncation=True, max_length=n)) for pair in PAIRS]} for n in TRUNCATIONS
                       if n >= t.num_special_tokens_to_add(pair=True)]
    batch = ["a dog", "a dog runs over the grass", ""]
    padded = {}
    if t.pad_token is not None:
        for side in ("left", "right"):
            padded[side] = {"longest": full(t(batch, padding=True, padding_side=side)),
                            "maxLength": full(t(batch, padding="max_length", max_length=11, truncation=True, padding_side=side))}
    result = {
        "special": {name: getattr(t, f"{name}_token_id") for name in ("pad", "bos", "eos", "unk", "cls", "sep")},
        "texts": [],
        "pairs": [full(one(t, pair)) for pair in PAIRS],
        "pairsWithoutSpecials": [ids(one(t, pair, add_special_tokens=False)) for pair in PAIRS],
        "truncation": sides, "padding": {"batch": batch, **padded},
    }
    for text in AWKWARD:
        with_specials = ids(t(text))
        result["texts"].append({"ids": with_specials, "plain": ids(t(text, add_special_tokens=False)), "decoded": t.decode(with_specials),
                                "decodedSkip": t.decode(with_specials, skip_special_tokens=True)})
    # Every id by itself would be large; a spread of ids shows partial UTF-8 sequences and every kind of piece.
    spread = [i for i in range(0, len(t), max(1, len(t) // 200))]
    result["spread"] = {"ids": spread, "decoded": t.decode(spread), "decodedSkip": t.decode(spread, skip_special_tokens=True)}
    if chat:
        result["chat"] = [{"messages": c, "prompt": t.apply_chat_template(c, tokenize=False), "generation": t.apply_chat_template(c, tokenize=False, add_generation_prompt=True)}
                          for c in CONVERSATIONS]
    return result


def ids(encoding):
    return list(encoding["input_ids"])


def one(t, pair, **options):
    """A pair by way of a batch of one: called with two plain strings, transformers takes an empty second one for none."""
    return {key: value[0] for key, value in t([pair[0]], [pair[1]], **options).items()}


def full(encoding):
    names = {"input_ids": "inputIds", "attention_mask": "attentionMask", "token_type_ids": "tokenTypeIds"}
    return {names[key]: value for key, value in encoding.items()}


def corpus():
    captions = json.loads((ROOT / "data" / "scenes" / "captions.json").read_text())
    texts = []

    def walk(node):
        if isinstance(node, str):
            if " " in node:
                texts.append(node)
        elif isinstance(node, (list, dict)):
            for value in node.values() if isinstance(node, dict) else node:
                walk(value)
    walk(captions)
    return texts[:2000] + AWKWARD * 3


def train(tokenizer, trainer):
    """Trains the model of a transformers tokenizer through its own normalizer and pre-tokenizer."""
    backend = tokenizer.backend_tokenizer
    backend.train_from_iterator(corpus(), trainer)
    return json.loads(backend.to_str())["model"]


def make_tiny():
    bytes_in_order = list(byte_symbols())
    model = train(GPT2Tokenizer(), trainers.BpeTrainer(vocab_size=420, initial_alphabet=bytes_in_order, special_tokens=[], show_progress=False))
    save("byte-level-bpe", GPT2Tokenizer(vocab={**model["vocab"], "<|endoftext|>": len(model["vocab"])}, merges=[tuple(m) for m in model["merges"]]))
    clip = CLIPTokenizer()
    model = train(clip, trainers.BpeTrainer(vocab_size=700, initial_alphabet=bytes_in_order, end_of_word_suffix="</w>", special_tokens=[], show_progress=False))
    vocab = {symbol: i for i, symbol in enumerate(bytes_in_order)}
    vocab.update({symbol + "</w>": 256 + i for i, symbol in enumerate(bytes_in_order)})
    merges = [tuple(m) for m in model["merges"]]
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocab[special] = len(vocab)
    save("clip-bpe", CLIPTokenizer(vocab=vocab, merges=merges))
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert = BertTokenizer()
    model = train(bert, trainers.WordPieceTrainer(vocab_size=700, special_tokens=specials, continuing_subword_prefix="##", show_progress=False))
    save("word-piece", BertTokenizer(vocab=model["vocab"]))


def byte_symbols():
    """The byte symbols in the order GPT-2 and CLIP number them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]


def save(name, tokenizer):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer.save_pretrained(folder)
    tokenizer.backend_tokenizer.model.save(str(folder))
    compact = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(compact, ensure_ascii=False, separators=(",", ":")) + "\n")
    write(FIXTURES / f"{name}.json", expectations(type(tokenizer).from_pretrained(folder)))


def published(folder):
    smol = PreTrainedTokenizerFast.from_pretrained(folder / "smolvlm-256m")
    write(FIXTURES / "smolvlm-256m.json", expectations(smol, chat=True))
    write(FIXTURES / "bert-base-uncased.json", expectations(BertTokenizer.from_pretrained(folder / "bert-base-uncased")))
    merges = [tuple(line.split()) for line in (folder / "gpt2" / "vocab.bpe").read_text().split("\n")[1:-1]]
    vocab = {symbol: i for i, symbol in enumerate(byte_symbols())}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    vocab["<|endoftext|>"] = len(vocab)
    assert len(vocab) == 50257
    write(FIXTURES / "gpt2.json", expectations(GPT2Tokenizer(vocab=vocab, merges=merges)))
    merges = gzip.decompress((folder / "clip" / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode().split("\n")[1:49152 - 256 - 2 + 1]
    merges = [tuple(line.split()) for line in merges]
    vocab = {symbol: i for i, symbol in enumerate(byte_symbols())}
    vocab.update({symbol + "</w>": 256 + i for i, symbol in enumerate(byte_symbols())})
    for left, right in merges:
        vocab[left + right] = len(vocab)
    vocab.update({"<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1})
    assert len(vocab) == 49408
    write(FIXTURES / "clip.json", expectations(CLIPTokenizer(vocab=vocab, merges=merges)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--published", type=Path)
    arguments = parser.parse_args()
    FIXTURES.mkdir(parents=True, exist_ok=True)
    write(FIXTURES / "awkward.json", {"texts": AWKWARD, "pairs": PAIRS, "long": LONG})
    make_tiny()
    if arguments.published:
        published(arguments.published)
