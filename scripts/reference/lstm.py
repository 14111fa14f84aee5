"""Fixtures of LSTM layers from PyTorch: outputs, final states and gradients of parameters, inputs and initial states, all by formula.

Run: python scripts/reference/lstm.py   (torch 2.15.0)
Writes test/fixtures/nn/lstm.json.
"""
import json
from pathlib import Path

import torch
from torch import nn

from formula import fill, values
from hub import sample

FILE = Path(__file__).parents[2] / "test/fixtures/nn/lstm.json"


def case(input_size, hidden_size, layers, batch, steps, with_state):
    model = nn.LSTM(input_size, hidden_size, layers, batch_first=True)
    fill(model)
    tensors = {"input": values("input", (batch, steps, input_size)) * 3}
    if with_state:
        tensors |= {f"{what}.{layer}": values(f"{what}.{layer}", (batch, hidden_size)) for what in ("hidden", "cell") for layer in range(layers)}
    for tensor in tensors.values():
        tensor.requires_grad_()
    state = tuple(torch.stack([tensors[f"{what}.{layer}"] for layer in range(layers)]) for what in ("hidden", "cell")) if with_state else None
    output, (hidden, cell) = model(tensors["input"], state)
    # Every output has its own weight in the loss, the final states included.
    loss = sum((y * values(f"d{name}", y.shape)).sum() for name, y in (("output", output), ("hidden", hidden), ("cell", cell)))
    wanted = dict(model.named_parameters()) | tensors
    gradients = torch.autograd.grad(loss, list(wanted.values()))
    return {
        "inputSize": input_size, "hiddenSize": hidden_size, "numLayers": layers, "batch": batch, "steps": steps, "withState": with_state,
        "names": [name for name, _ in model.named_parameters()],
        "output": sample(output, 200), "hidden": sample(hidden, 200), "cell": sample(cell, 200), "loss": loss.item(),
        "gradients": {name: sample(g, 100) for name, g in zip(wanted, gradients)},
    }


cell = nn.LSTMCell(5, 7)
fill(cell)
hidden, memory = cell(values("input", (3, 5)), (values("hidden", (3, 7)), values("cell", (3, 7))))
FILE.write_text(json.dumps({
    "lstm": [case(7, 5, 1, 3, 6, True), case(3, 11, 2, 2, 1, True), case(6, 6, 2, 4, 9, False), case(13, 9, 3, 1, 17, True), case(33, 65, 1, 5, 20, False)],
    "cell": {"hidden": sample(hidden, 200), "cell": sample(memory, 200)},
}))
