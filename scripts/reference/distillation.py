"""Fixtures of the distillation losses from PyTorch, in float64: values and the student's gradients, all inputs by formula.

Run: python scripts/reference/distillation.py   (torch 2.15.0)
Writes test/fixtures/training/distillation.json.
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from formula import values
from hub import sample

FILE = Path(__file__).parents[2] / "test/fixtures/training/distillation.json"


def logits(name, rows, classes, scale):
    return (values(name, (rows, classes)) * scale).double()


def label_rows(rows, classes):
    """Every third row is padding."""
    return torch.tensor([-100 if row % 3 == 2 else (7 * row) % classes for row in range(rows)])


def word_loss(student, teacher, labels, temperature):
    counted = labels != -100
    return temperature**2 * F.kl_div(
        F.log_softmax(student[counted] / temperature, 1), F.softmax(teacher[counted] / temperature, 1), reduction="batchmean")


def word_case(rows, classes, scale, temperature):
    student = logits("student", rows, classes, scale).requires_grad_()
    loss = word_loss(student, logits("teacher", rows, classes, scale), label_rows(rows, classes), temperature)
    (gradient,) = torch.autograd.grad(loss, [student])
    case = {"rows": rows, "classes": classes, "scale": scale, "temperature": temperature}
    return case | {"loss": loss.item(), "gradient": sample(gradient, 200)}


def feature_case(shape):
    student = values("studentFeatures", shape).double().requires_grad_()
    loss = F.mse_loss(student, values("teacherFeatures", shape).double())
    (gradient,) = torch.autograd.grad(loss, [student])
    return {"shape": shape, "loss": loss.item(), "gradient": sample(gradient, 200)}


def whole_case(beta, temperature, encoder_weight, decoder_weight):
    """A linear encoder and a linear classifier of its features, so that the encoder gets gradients from all three terms."""
    rows, inputs, features, classes = 9, 6, 5, 12
    pixels = values("pixels", (rows, inputs)).double()
    encoder = values("encoder", (inputs, features)).double().requires_grad_()
    decoder = values("decoder", (features, classes)).double().requires_grad_()
    labels = label_rows(rows, classes)
    grid = pixels @ encoder
    words = grid @ decoder
    loss = (1 - beta) * F.cross_entropy(words, labels, ignore_index=-100) + beta * (
        encoder_weight * F.mse_loss(grid, values("teacherFeatures", (rows, features)).double())
        + decoder_weight * word_loss(words, logits("teacher", rows, classes, 1), labels, temperature))
    gradients = torch.autograd.grad(loss, [encoder, decoder])
    options = {"beta": beta, "temperature": temperature, "encoderWeight": encoder_weight, "decoderWeight": decoder_weight}
    return options | {"loss": loss.item(), "gradients": [sample(g, 100) for g in gradients]}


FILE.write_text(json.dumps({
    "words": [word_case(6, 11, 1, 1), word_case(6, 11, 4, 5), word_case(7, 300, 3, 20), word_case(4, 1000, 30, 2)],
    "features": [feature_case((2, 3, 4)), feature_case((3, 25, 64))],
    "whole": [whole_case(*case) for case in [
        (0.3, 5, 1, 1), (0.3, 20, 0.25, 4), (0.3, 20, 1, 0), (0.7, 10, 0, 1), (0, 5, 1, 1), (1, 5, 1, 1), (1, 5, 1, 0)]],
}))
