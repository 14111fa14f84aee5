"""Fixtures of RMS normalisation, rotary positions and grouped-query attention from transformers' Llama, inputs by formula.

Run: python scripts/reference/llama_parts.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/nn/llama-parts.json.
"""
import json
from pathlib import Path

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRMSNorm, LlamaRotaryEmbedding, apply_rotary_pos_emb, repeat_kv

from formula import values

FILE = Path(__file__).parents[2] / "test/fixtures/nn/llama-parts.json"
torch.manual_seed(0)


def flat(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().flatten().tolist()]


def gradients(y, tensors):
    loss = (y * values("dy", y.shape)).sum()
    return {name: flat(g) for name, g in zip(tensors, torch.autograd.grad(loss, list(tensors.values())))}


def leaf(name, shape, scale=1.0, shift=0.0):
    return (values(name, shape) * scale + shift).requires_grad_()


result = {"rmsNorm": [], "rotary": [], "attention": []}

for epsilon, scale, shift in ((1e-6, 1.0, 0.0), (1e-5, 1.0, 3.0), (1e-5, 3e-3, 0.0)):
    layer = LlamaRMSNorm(33, epsilon)
    tensors = {"x": leaf("x", (2, 5, 33), scale, shift), "weight": leaf("n.weight", (33,))}
    del layer.weight
    layer.weight = tensors["weight"]
    y = layer(tensors["x"])
    result["rmsNorm"].append({"epsilon": epsilon, "scale": scale, "shift": shift, "y": flat(y), "gradients": gradients(y, tensors)})

for size, theta, positions in ((8, 10000.0, [[0, 1, 2, 3, 4]]), (6, 100000.0, [[0, 0, 0, 1, 2], [7, 90, 1000, 8001, 16383]])):
    rotary = LlamaRotaryEmbedding(LlamaConfig(hidden_size=3 * size, num_attention_heads=3, head_dim=size, rope_parameters={"rope_type": "default", "rope_theta": theta}))
    x = leaf("x", (2, 3, 5, size))
    cos, sin = rotary(x, torch.tensor(positions))
    y = apply_rotary_pos_emb(x, x, cos, sin)[0]
    result["rotary"].append({"size": size, "theta": theta, "positions": positions, "y": flat(y), "gradients": gradients(y, {"x": x})})

padding = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 1]])
for groups, queries, padded in ((3, 7, False), (2, 7, True), (1, 1, True), (2, 3, False)):
    keys, heads, size = 7, 6, 4
    tensors = {"query": leaf("query", (2, queries, heads * size), 5), "key": leaf("key", (2, keys, groups * size), 5), "value": leaf("value", (2, keys, groups * size))}
    q, k, v = (t.view(2, t.shape[1], -1, size).transpose(1, 2) for t in tensors.values())
    seen = torch.ones(keys, keys, dtype=torch.bool).tril()[None, None, keys - queries:].expand(2, 1, -1, -1)
    if padded:
        seen = seen & padding.bool()[:, None, None]
    weights = torch.softmax(q @ repeat_kv(k, heads // groups).transpose(2, 3) * size**-0.5 + torch.where(seen, 0.0, torch.finfo(torch.float32).min), dim=-1)
    y = (weights @ repeat_kv(v, heads // groups)).transpose(1, 2).reshape(2, queries, -1)
    result["attention"].append({"groups": groups, "queries": queries, "padded": padded, "weights": flat(weights), "output": flat(y), "gradients": gradients(y, tensors)})

FILE.write_text(json.dumps({"padding": padding.tolist(), **result}))
