"""Fixtures of MobileNetV2 from torchvision (symmetric padding) and transformers (TensorFlow's padding), weights by formula.

Run: python scripts/reference/mobilenet_v2.py   (torch 2.15.0, torchvision 0.29.2, transformers 5.23)
Writes test/fixtures/models/mobilenet-v2.json.
"""
import json
from pathlib import Path

import torch
from torchvision.models import mobilenet_v2
from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

from convolutional import outputs, training
from formula import fill, values

FILE = Path(__file__).parents[2] / "test/fixtures/models/mobilenet-v2.json"


def of_torchvision(width, classes):
    model = mobilenet_v2(width_mult=width, num_classes=classes, dropout=0.0)
    fill(model)
    return model.eval()


def run_torchvision(width, height, across, classes, batch):
    model = of_torchvision(width, classes)
    hidden = []
    for block in model.features[2:]:
        block.register_forward_hook(lambda _, __, output: hidden.append(output))
    with torch.no_grad():
        logits = model(values("pixels", (batch, 3, height, across)))
    return {"width": width, "classes": classes, "shape": [batch, 3, height, across], **outputs(hidden[:-1], hidden[-1], logits)}


def run_transformers(width, height, across, classes, batch):
    model = MobileNetV2ForImageClassification(MobileNetV2Config(depth_multiplier=width, num_labels=classes, tf_padding=True))
    fill(model)
    model.eval()
    pixels = values("pixels", (batch, 3, height, across))
    with torch.no_grad():
        out = model.mobilenet_v2(pixels, output_hidden_states=True)
        logits = model(pixels).logits
    return {"width": width, "classes": classes, "shape": [batch, 3, height, across], **outputs(out.hidden_states, out.last_hidden_state, logits)}


FILE.write_text(json.dumps({
    "torchvision": [run_torchvision(0.35, 75, 64, 7, 2), run_torchvision(1.0, 224, 224, 1000, 1), run_torchvision(1.4, 96, 96, 11, 1)],
    "transformers": [run_transformers(0.35, 75, 64, 7, 2), run_transformers(1.0, 224, 224, 1001, 1)],
    "training": [training(of_torchvision(0.35, 7), shape, labels, candidates, mode, count=6)
                 for mode, shape, labels, candidates in ((False, (1, 3, 33, 33), [3], 100), (True, (3, 3, 65, 65), [3, 0, 6], 12))],
}))
