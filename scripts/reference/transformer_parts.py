"""Fixtures of layer normalisation, activations and attention from PyTorch and transformers, inputs by formula.

Run: python scripts/reference/transformer_parts.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/nn/transformer-parts.json.
"""
import json
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers.activations import ACT2FN
from transformers.pytorch_utils import Conv1D

from formula import values

FILE = Path(__file__).parents[2] / "test/fixtures/nn/transformer-parts.json"


def flat(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().flatten().tolist()]


def gradients(loss, tensors):
    return {name: flat(g) for name, g in zip(tensors, torch.autograd.grad(loss, list(tensors.values())))}


def leaf(name, shape, scale=1.0, shift=0.0):
    return (values(name, shape) * scale + shift).requires_grad_()


result = {"layerNorm": [], "activations": {}, "attention": [], "conv1d": {}}

for epsilon, scale, shift in ((1e-12, 1.0, 0.0), (1e-5, 1.0, 3.0), (1e-6, 1e-3, 0.0)):
    tensors = {"x": leaf("x", (2, 5, 33), scale, shift), "weight": leaf("n.weight", (33,)), "bias": leaf("n.bias", (33,))}
    y = F.layer_norm(tensors["x"], (33,), tensors["weight"], tensors["bias"], epsilon)
    result["layerNorm"].append({"epsilon": epsilon, "scale": scale, "shift": shift, "y": flat(y), "gradients": gradients((y * values("dy", y.shape)).sum(), tensors)})

for name in ("gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "tanh"):
    x = torch.linspace(-9, 9, 181).requires_grad_()
    y = ACT2FN[name](x)
    result["activations"][name] = {"y": flat(y), "gradient": flat(torch.autograd.grad(y.sum(), x)[0])}

padding = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 1]])
for causal, padded, queries, scale in ((False, False, 5, None), (False, True, 5, None), (True, False, 7, None), (True, True, 7, 0.3), (True, True, 3, None), (True, True, 1, None)):
    keys, heads, size = 7, 3, 5
    tensors = {"query": leaf("query", (2, queries, heads * size), 5), "key": leaf("key", (2, keys, heads * size), 5), "value": leaf("value", (2, keys, heads * size))}
    q, k, v = (t.view(2, -1, heads, size).transpose(1, 2) for t in tensors.values())
    seen = torch.ones(2, 1, queries, keys, dtype=torch.bool)
    if causal:
        seen = seen & torch.ones(keys, keys, dtype=torch.bool).tril()[keys - queries:]
    if padded:
        seen = seen & padding.bool()[:, None, None]
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
    weights = torch.softmax(q @ k.transpose(2, 3) * (scale or size**-0.5) + mask, dim=-1)
    output = (weights @ v).transpose(1, 2).reshape(2, queries, -1)
    result["attention"].append({"causal": causal, "padded": padded, "queries": queries, "scale": scale, "weights": flat(weights), "output": flat(output),
                                "gradients": gradients((output * values("dy", output.shape)).sum(), tensors)})

layer = Conv1D(7, 5)
with torch.no_grad():
    layer.weight.copy_(values("c.weight", (5, 7)))
    layer.bias.copy_(values("c.bias", (7,)))
x = leaf("x", (2, 3, 5))
y = layer(x)
result["conv1d"] = {"y": flat(y), "gradients": gradients((y * values("dy", y.shape)).sum(), {"x": x, "weight": layer.weight, "bias": layer.bias})}

FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text(json.dumps({"padding": padding.tolist(), **result}))
