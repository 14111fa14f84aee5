"""Fixtures of GPT-2 from transformers, weights and encoder states by formula.

Run: python scripts/reference/gpt2.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/gpt2.json.
"""
import json
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from formula import values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/gpt2.json"
SMALL = dict(vocab_size=61, n_positions=19, n_embd=32, n_layer=3, n_head=4, n_inner=56)
CROSS = dict(vocab_size=47, n_positions=13, n_embd=30, n_layer=2, n_head=3, add_cross_attention=True, scale_attn_by_inverse_layer_idx=True, layer_norm_epsilon=1e-6)
torch.manual_seed(3)


def case(config, batch, length, left_padding=None, encoder_length=None, train=False):
    # Ids that no special token shares, or generation would stop or warn.
    model, named = filled(GPT2LMHeadModel(GPT2Config(**config, bos_token_id=0, eos_token_id=0, pad_token_id=0)))
    ids = torch.randint(1, config.get("vocab_size", 50257), (batch, length))
    inputs = {"input_ids": ids}
    result = {"config": config, "inputIds": ids.tolist(), "names": list(named) if config else None}
    if left_padding:
        mask = torch.ones_like(ids)
        for row, count in enumerate(left_padding):
            mask[row, :count] = 0
        positions = (mask.cumsum(-1) - 1).masked_fill(mask == 0, 0)
        inputs |= {"attention_mask": mask, "position_ids": positions}
        result |= {"attentionMask": mask.tolist()}
    if encoder_length:
        encoder_mask = torch.ones(batch, encoder_length, dtype=torch.long)
        encoder_mask[0, -2:] = 0
        inputs |= {"encoder_hidden_states": values("encoder", (batch, encoder_length, config["n_embd"])) * 3, "encoder_attention_mask": encoder_mask}
        result |= {"encoderAttentionMask": encoder_mask.tolist()}
    labels = ids.clone()
    labels[:, :2] = -100
    out = model(**inputs, labels=labels, output_hidden_states=True, output_attentions=True)
    result |= {
        "labels": labels.tolist(), "loss": out.loss.item(), "logits": sample(out.logits, 200), "hiddenStates": [sample(h) for h in out.hidden_states],
        "attentions": [sample(a) for a in out.attentions], "crossAttentions": [sample(a) for a in out.cross_attentions or []],
    }
    if train:
        # The key's part of c_attn's bias has a true gradient of zero: it stands in the middle, among values that are not.
        result["gradients"] = gradients(out.loss, named)
    if left_padding:
        generated = model.generate(ids, attention_mask=inputs["attention_mask"], max_new_tokens=6, do_sample=False, suppress_tokens=[0])
        result["greedy"] = generated[:, length:].tolist()
    return result


FILE.write_text(json.dumps([
    case(SMALL, 2, 11, train=True),
    case(SMALL, 3, 9, left_padding=[0, 4, 2], train=True),
    case(CROSS, 2, 7, encoder_length=5, train=True),
    case({}, 1, 9),
]))
