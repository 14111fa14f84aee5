"""Fixtures of a training step's parts: smoothed cross entropy, clipping, the linear schedule, and AdamW under both.

Run: python scripts/reference/training.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/training/steps.json.
"""
import json
from pathlib import Path

import torch
from transformers import get_linear_schedule_with_warmup

from formula import values

FILE = Path(__file__).parents[2] / "test/fixtures/training/steps.json"


def smoothed(rows, classes, smoothing, ignored):
    logits = (values("logits", (rows, classes)) * 4).requires_grad_()
    labels = torch.arange(rows) * 3 % classes
    labels[ignored] = -100
    loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    loss.backward()
    return {"rows": rows, "classes": classes, "smoothing": smoothing, "labels": labels.tolist(), "loss": loss.item(), "gradient": logits.grad.flatten().tolist()}


def schedule(warmup, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = get_linear_schedule_with_warmup(optimizer, warmup, steps)
    factors = []
    for _ in range(steps):
        factors.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"warmup": warmup, "steps": steps, "factors": factors}


def clipped(max_norm):
    """Six steps of a linear regression whose gradients are clipped at some steps and not at others."""
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(values("weight", (2, 3)))
        model.bias.copy_(values("bias", (2,)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    scheduler = get_linear_schedule_with_warmup(optimizer, 2, 6)
    norms = []
    for step in range(6):
        x = values(f"x{step}", (4, 3)) * 3
        loss = (model(x) - x[:, :2] * 2).square().mean()
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item())
        optimizer.step()
        scheduler.step()
    return {"maxNorm": max_norm, "norms": norms, "weight": model.weight.flatten().tolist(), "bias": model.bias.tolist()}


FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text(json.dumps({
    "smoothed": [smoothed(7, 5, 0.1, [2, 6]), smoothed(4, 11, 0.35, []), smoothed(3, 2, 1.0, [0])],
    "schedules": [schedule(0, 5), schedule(3, 10), schedule(4, 4), schedule(7, 4), schedule(1, 1)],
    "clipped": [clipped(1.0), clipped(4.0), clipped(100.0)],
}) + "\n")
