"""Fixtures of generation: transformers' logits processors one by one, and generate with GPT-2 (weights by formula), batched and left-padded.

Run: python scripts/reference/generation.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/generation/processors.json and gpt2.json.
"""
import json
import warnings
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, logging
from transformers.generation import logits_process as lp

from formula import values
from hub import filled

FOLDER = Path(__file__).parents[2] / "test/fixtures/generation"
FOLDER.mkdir(parents=True, exist_ok=True)
warnings.filterwarnings("ignore")
logging.set_verbosity_error()
logging.disable_progress_bar()

VOCAB = 23
# The padding id is a word that the model likes: rules that count padding, or do not, show.
EOS, PAD = 26, 15


def processors():
    """Name here, arguments, ids, scores before and after; infinities as null."""
    scores = values("scores", (3, VOCAB)) * 3
    tied = torch.round(scores)
    ids = torch.tensor([[3, 3, 7, 1, 2, 7, 1], [4, 2, 4, 2, 4, 9, 4], [6, 6, 6, 6, 6, 6, 6]])
    listed = [
        ("repetitionPenalty", [1.7], lp.RepetitionPenaltyLogitsProcessor(1.7)),
        ("repetitionPenalty", [0.6], lp.RepetitionPenaltyLogitsProcessor(0.6)),
        ("repetitionPenalty", [1.7, [2, 0, 3]], lp.RepetitionPenaltyLogitsProcessor(1.7, prompt_ignore_length=torch.tensor([2, 0, 3]))),
        *[("noRepeatNgram", [n], lp.NoRepeatNGramLogitsProcessor(n)) for n in (1, 2, 3, 7, 8)],
        ("minimumLength", [8, [5]], lp.MinLengthLogitsProcessor(8, 5)),
        ("minimumLength", [7, [5]], lp.MinLengthLogitsProcessor(7, 5)),
        ("minimumLength", [8, [5, 9]], lp.MinNewTokensLengthLogitsProcessor(3, 5, [5, 9])),
        ("forcedTokens", [1, [4]], lp.ForcedBOSTokenLogitsProcessor(4)),
        ("forcedTokens", [7, [4, 6]], lp.ForcedEOSTokenLogitsProcessor(8, [4, 6])),
        ("suppressTokens", [[0, 22, 7]], lp.SuppressTokensLogitsProcessor([0, 22, 7])),
        ("temperature", [0.7], lp.TemperatureLogitsWarper(0.7)),
        *[("topK", [k, keep], lp.TopKLogitsWarper(k, min_tokens_to_keep=keep)) for k, keep in ((1, 1), (5, 1), (2, 4), (VOCAB, 1), (60, 1))],
        *[("topP", [p, keep], lp.TopPLogitsWarper(p, min_tokens_to_keep=keep)) for p, keep in ((0.9, 1), (0.3, 1), (0.01, 1), (0.3, 6), (1.0, 1))],
    ]
    cases = []
    for given, before in (("plain", scores), ("tied", tied)):
        for name, arguments, processor in listed:
            if given == "tied" and name == "topP":
                continue  # which of equal tokens goes is not defined
            for length in (1, 7):
                after = processor(ids[:, :length].clone(), before.clone())
                cases.append({"name": name, "arguments": arguments, "scores": given, "length": length,
                              "after": [[None if v == float("-inf") else v for v in row] for row in after.tolist()]})
    return {"ids": ids.tolist(), "plain": scores.tolist(), "tied": tied.tolist(), "cases": cases}


CONFIG = dict(vocab_size=29, n_positions=40, n_embd=32, n_layer=2, n_head=4)
PROMPTS = [[7, 11, 2, 19, 2, 19], [PAD, PAD, PAD, 8, 1, 14], [PAD, PAD, PAD, PAD, PAD, 22], [12, 12, 9, 4, 12, 12]]
SHORT = [[6], [17], [9]]

OPTIONS = [
    {}, {"max_new_tokens": 3}, {"max_length": 13}, {"min_length": 12}, {"min_new_tokens": 7}, {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 1, "max_new_tokens": 8},
    {"repetition_penalty": 1.4}, {"repetition_penalty": 0.8}, {"suppress_tokens": [1, 20, 28]}, {"forced_eos_token_id": 11}, {"forced_eos_token_id": EOS, "max_new_tokens": 6},
    {"eos_token_id": [EOS, 4, 21]}, {"pad_token_id": 0}, {"pad_token_id": EOS}, {"eos_token_id": None},
    {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "min_length": 10, "suppress_tokens": [2]},
]
BEAM_OPTIONS = [
    {"length_penalty": 0.0}, {"length_penalty": 2.0}, {"length_penalty": -1.0}, {"early_stopping": True}, {"early_stopping": "never"},
    {"early_stopping": "never", "length_penalty": 0.0}, {"early_stopping": True, "length_penalty": 2.0, "min_new_tokens": 4}, {"num_return_sequences": "all"},
    *[{"early_stopping": early, "length_penalty": penalty, "eos_token_id": [EOS, 4, 6], "max_new_tokens": 24, "repetition_penalty": 1.1}
      for early in (False, True, "never") for penalty in (1.0, 3.0)],
]


def generated():
    model, _ = filled(GPT2LMHeadModel(GPT2Config(**CONFIG, bos_token_id=0, eos_token_id=EOS, pad_token_id=PAD)))
    # Sharper distributions than the formula's, and an end token that comes now and then.
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(1.6)
    model.generation_config.bos_token_id = None
    cases = []
    for prompts in (PROMPTS, SHORT):
        ids = torch.tensor(prompts)
        mask = (ids != PAD).long()
        for beams in (1, 3, 5, 10):
            options = OPTIONS + (BEAM_OPTIONS if beams > 1 else []) + ([{"forced_bos_token_id": 13}] if prompts is SHORT else [])
            for option in options:
                arguments = {"max_new_tokens": 12, "num_beams": beams, "do_sample": False, "pad_token_id": PAD, "eos_token_id": EOS} | option
                if "max_length" in option:
                    del arguments["max_new_tokens"]
                if option.get("num_return_sequences") == "all":
                    arguments["num_return_sequences"] = beams
                out = model.generate(ids, attention_mask=mask, return_dict_in_generate=True, output_scores=True, **arguments)
                scores = out.sequences_scores.tolist() if beams > 1 else None
                cases.append({"prompt": "prompts" if prompts is PROMPTS else "short", "options": arguments, "sequences": out.sequences.tolist(), "scores": scores})
    return {"config": CONFIG, "prompts": PROMPTS, "short": SHORT, "cases": cases}


if __name__ == "__main__":
    (FOLDER / "processors.json").write_text(json.dumps(processors()))
    result = generated()
    (FOLDER / "gpt2.json").write_text(json.dumps(result))
    ended = sum(len(set(map(tuple, case["sequences"]))) for case in result["cases"])
    print(len(result["cases"]), "cases,", ended, "different rows")
