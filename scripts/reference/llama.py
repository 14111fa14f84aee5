"""Fixtures of Llama from transformers, weights by formula.

Run: python scripts/reference/llama.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/llama.json.
"""
import json
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from formula import values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/llama.json"
SMALL = dict(vocab_size=61, hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, pad_token_id=0, rms_norm_eps=1e-5,
             rope_parameters=dict(rope_type="default", rope_theta=10000.0), max_position_embeddings=64)
# The head is wider than its share of hidden_size; biases everywhere; the output layer is the embedding.
WIDE = dict(vocab_size=47, hidden_size=30, intermediate_size=41, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, head_dim=14, attention_bias=True, mlp_bias=True,
            hidden_act="gelu_pytorch_tanh", tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=500.0), pad_token_id=None, max_position_embeddings=64)
PLAIN = dict(vocab_size=53, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, tie_word_embeddings=True, pad_token_id=3, max_position_embeddings=64)
torch.manual_seed(5)


def case(config, batch, length, left_padding=None):
    model, named = filled(LlamaForCausalLM(LlamaConfig(**config, bos_token_id=1, eos_token_id=2)))
    ids = torch.randint(4, config["vocab_size"], (batch, length))
    mask = torch.ones_like(ids)
    for row, count in enumerate(left_padding or []):
        mask[row, :count] = 0
        ids[row, :count] = config["pad_token_id"] or 0
    positions = (mask.cumsum(-1) - 1).masked_fill(mask == 0, 0)
    inputs = {"input_ids": ids} | ({"attention_mask": mask, "position_ids": positions} if left_padding else {})
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, 1] = -100
    out = model(**inputs, labels=labels, output_hidden_states=True, output_attentions=True)
    embedded = (values("embedded", (batch, length, config["hidden_size"]))).requires_grad_()
    from_embedded = model(inputs_embeds=embedded, labels=labels, **{k: v for k, v in inputs.items() if k != "input_ids"})
    result = {
        "config": config, "names": list(named), "inputIds": ids.tolist(), "attentionMask": mask.tolist() if left_padding else None, "labels": labels.tolist(),
        "loss": out.loss.item(), "logits": sample(out.logits, 200), "hiddenStates": [sample(h) for h in out.hidden_states], "attentions": [sample(a) for a in out.attentions],
        # A key's bias moves every score of a query alike before rotation only: its gradient is not zero here.
        "gradients": gradients(out.loss, named),
        "embedded": {"loss": from_embedded.loss.item(), "gradient": sample(torch.autograd.grad(from_embedded.loss, embedded)[0])},
    }
    options = {"attention_mask": mask, "max_new_tokens": 9, "pad_token_id": config["pad_token_id"] or 0}
    result["greedy"] = model.generate(ids, do_sample=False, **options).tolist()
    beams = model.generate(ids, do_sample=False, num_beams=3, num_return_sequences=2, length_penalty=0.7, return_dict_in_generate=True, output_scores=True, **options)
    result["beams"] = {"sequences": beams.sequences.tolist(), "scores": beams.sequences_scores.tolist()}
    return result


FILE.write_text(json.dumps([case(SMALL, 3, 9, left_padding=[0, 4, 2]), case(WIDE, 2, 7), case(PLAIN, 2, 5)]))
