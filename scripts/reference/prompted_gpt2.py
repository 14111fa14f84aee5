"""Fixture of report 001, part B, from transformers: GPT-2 with cross attention, captions behind a prompt, padded on the left.

Run: python scripts/reference/prompted_gpt2.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/captioners/prompted-gpt2.json.
"""
import json
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, logging

from formula import values
from hub import filled, gradients, sample

FIXTURE = Path(__file__).parents[2] / "test/fixtures/captioners/prompted-gpt2.json"
logging.set_verbosity_error()
logging.disable_progress_bar()

CONFIG = dict(vocab_size=43, n_positions=24, n_embd=24, n_layer=2, n_head=3, embd_pdrop=0, attn_pdrop=0, resid_pdrop=0)
END = 42  # begins, ends and pads texts, as in GPT-2
PROMPT = [5, 17, 30]
CAPTIONS = [[8, 3, 11, 29, 4, 7], [1, 2], [33, 9, 40, 6]]
# What texts go on from: behind the end token, prompts of different lengths.
BEGINNINGS = [[5, 17, 30, 8], [5, 17], [20, 21, 22, 23, 24, 25]]
SEARCHES = [{}, {"num_beams": 3}, {"num_beams": 4, "length_penalty": 2.0, "repetition_penalty": 1.2}]


def left(rows, filling):
    length = max(map(len, rows))
    return torch.tensor([[filling] * (length - len(row)) + row for row in rows])


def masks(rows):
    return left([[1] * len(row) for row in rows], 0)


if __name__ == "__main__":
    model, named = filled(GPT2LMHeadModel(GPT2Config(**CONFIG, add_cross_attention=True, bos_token_id=END, eos_token_id=END)))
    features = values("features", (3, 7, CONFIG["n_embd"]))
    texts = [[END, *PROMPT, *words, END] for words in CAPTIONS]
    inputs = dict(input_ids=left(texts, END), attention_mask=masks(texts), encoder_hidden_states=features,
                  labels=left([[-100] * (1 + len(PROMPT)) + words + [END] for words in CAPTIONS], -100))
    positions = (inputs["attention_mask"].cumsum(-1) - 1).masked_fill(inputs["attention_mask"] == 0, 0)
    text, batch = model(**inputs, position_ids=positions), model(**inputs)
    grads = gradients(text.loss, named)

    begun = [[END, *row] for row in BEGINNINGS]
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(2)
    generated = []
    for options in SEARCHES:
        out = model.generate(
            left(begun, END), attention_mask=masks(begun), encoder_hidden_states=features, max_new_tokens=8, do_sample=False, pad_token_id=END,
            return_dict_in_generate=True, output_scores=True, **options)
        scores = out.sequences_scores.tolist() if "num_beams" in options else None
        generated.append({"options": options, "sequences": out.sequences.tolist(), "scores": scores})
    FIXTURE.write_text(json.dumps({
        "config": CONFIG, "end": END, "prompt": PROMPT, "captions": CAPTIONS, "beginnings": BEGINNINGS,
        "loss": {"text": text.loss.item(), "batch": batch.loss.item()},
        # Of the positions that are scored or lead there: what padding sees is nobody's business.
        "logits": sample(torch.cat([row[mask.bool()] for row, mask in zip(text.logits[:, :-1], inputs["attention_mask"][:, :-1])]), 200),
        "gradients": grads, "generated": generated,
    }))
