"""Fixtures of transformers' models under the names that their checkpoints carry on the hub (the library renames some modules inside)."""
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from formula import values


def filled(model, **options):
    """The model as loaded from a checkpoint filled by formula, in evaluation mode, and its parameters by the checkpoint's names."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        file = Path(folder) / "model.safetensors"
        stored = {name: values(name, tuple(t.shape)) for name, t in load_file(file).items()}
        save_file(stored, file, metadata={"format": "pt"})
        model = type(model).from_pretrained(folder, attn_implementation="eager", **options).eval()
    parameters = dict(model.named_parameters())
    named = {}
    for name, value in stored.items():
        matches = [p for p in parameters.values() if p.shape == value.shape and torch.equal(p, value)]
        assert len(matches) == 1, (name, len(matches))
        named[name] = matches[0]
    assert len(named) == len(parameters), set(parameters)
    return model, named


def sample(tensor: torch.Tensor, count: int = 64) -> list[float]:
    """Every k-th value, about `count` of them."""
    flat = tensor.detach().flatten()
    return [float(f"{v:.8g}") for v in flat[:: max(1, len(flat) // count)].tolist()]


def gradients(loss: torch.Tensor, named: dict[str, torch.Tensor], excluded=lambda name: False, count: int = 24) -> dict[str, list[float]]:
    """Samples of every parameter's gradient."""
    chosen = {name: p for name, p in named.items() if not excluded(name)}
    return {name: sample(g, count) for name, g in zip(chosen, torch.autograd.grad(loss, list(chosen.values())))}
