"""Fixture of diverse beam search, which transformers had until version 4 (5 moved it out of the library).

Run in an environment of its own: python -m venv VENV; VENV/bin/pip install transformers==4.49.0 torch; VENV/bin/python scripts/reference/diverse_beam.py
Writes test/fixtures/generation/diverse-beam.json.
"""
import json
import warnings
from pathlib import Path

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

from formula import values

assert transformers.__version__.startswith("4."), f"transformers {transformers.__version__} has no diverse beam search: install 4.49.0"
FILE = Path(__file__).parents[2] / "test/fixtures/generation/diverse-beam.json"
warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()

CONFIG = dict(vocab_size=29, n_positions=40, n_embd=32, n_layer=2, n_head=4)
# The padding id is a word that the model likes: rules that count padding, or do not, show.
EOS, PAD = 26, 15
PROMPTS = [[7, 11, 2, 19, 2, 19], [PAD, PAD, PAD, 8, 1, 14], [PAD, PAD, PAD, PAD, PAD, 22], [12, 12, 9, 4, 12, 12]]
OPTIONS = [
    {}, {"num_beams": 4, "num_beam_groups": 4}, {"diversity_penalty": 0.2}, {"diversity_penalty": 5.0}, {"num_return_sequences": 3}, {"num_beams": 6, "num_return_sequences": 6},
    {"length_penalty": 0.0}, {"length_penalty": 2.0}, {"early_stopping": True}, {"early_stopping": "never"}, {"no_repeat_ngram_size": 2}, {"min_new_tokens": 6},
    {"suppress_tokens": [1, 20]}, {"eos_token_id": [EOS, 4, 21]}, {"eos_token_id": None}, {"pad_token_id": EOS}, {"forced_eos_token_id": EOS},
    *[{"early_stopping": early, "length_penalty": penalty, "eos_token_id": [EOS, 4, 6], "num_beams": 6, "num_beam_groups": groups, "diversity_penalty": 0.4, "num_return_sequences": 6}
      for early in (False, True, "never") for penalty in (1.0, 2.0) for groups in (2, 3)],
    # Groups that are done count as choosing the padding id, which the others then avoid.
    *[{"pad_token_id": pad, "early_stopping": True, "eos_token_id": [EOS, 9, 21], "num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 3.0, "num_return_sequences": 6, "max_new_tokens": 16}
      for pad in (4, 6, 14, 15, 8, 25)],
]

model = GPT2LMHeadModel(GPT2Config(**CONFIG, bos_token_id=0, eos_token_id=EOS, pad_token_id=PAD, attn_implementation="eager")).eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        parameter.copy_(values(name, tuple(parameter.shape)))
    model.transformer.ln_f.weight.mul_(1.6)
ids = torch.tensor(PROMPTS)
mask = (ids != PAD).long()
cases = []
for option in OPTIONS:
    arguments = {"max_new_tokens": 12, "num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1.0, "do_sample": False, "pad_token_id": PAD, "eos_token_id": EOS} | option
    out = model.generate(ids, attention_mask=mask, return_dict_in_generate=True, output_scores=True, **arguments)
    cases.append({"options": arguments, "sequences": out.sequences.tolist(), "scores": out.sequences_scores.tolist()})
FILE.write_text(json.dumps({"config": CONFIG, "prompts": PROMPTS, "cases": cases}))
