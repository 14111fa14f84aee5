"""Fixtures of MobileNetV2 from torchvision (symmetric padding) and transformers (TensorFlow's padding), weights by formula.

Run: python scripts/reference/mobilenet_v2.py   (torch 2.15.0, torchvision 0.29.2, transformers 5.23)
Writes test/fixtures/models/mobilenet-v2.json.
"""
import json
from pathlib import Path

import torch
from torchvision.models import mobilenet_v2
from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

from formula import fill, values

FILE = Path(__file__).parents[2] / "test/fixtures/models/mobilenet-v2.json"


def sample(tensor: torch.Tensor, count: int = 64) -> list[float]:
    """Every k-th value, about `count` of them."""
    flat = tensor.detach().flatten()
    return flat[:: max(1, len(flat) // count)].tolist()


def outputs(features, logits, size):
    return {"size": size, "featureShape": list(features.permute(0, 2, 3, 1).shape), "features": sample(features.permute(0, 2, 3, 1)), "logits": logits.flatten().tolist()}


def run_torchvision(width, size, classes, batch):
    model = mobilenet_v2(width_mult=width, num_classes=classes)
    fill(model)
    model.eval()
    pixels = values("pixels", (batch, 3, size, size))
    with torch.no_grad():
        result = outputs(model.features(pixels), model(pixels), size)
    return {"width": width, "classes": classes, "batch": batch, **result}, model, pixels


def run_transformers(width, size, classes, batch):
    model = MobileNetV2ForImageClassification(MobileNetV2Config(depth_multiplier=width, num_labels=classes, tf_padding=True))
    fill(model)
    model.eval()
    pixels = values("pixels", (batch, 3, size, size))
    with torch.no_grad():
        out = model.mobilenet_v2(pixels)
        result = outputs(out.last_hidden_state, model(pixels).logits, size)
    return {"width": width, "classes": classes, "batch": batch, **result}


small = run_torchvision(0.35, 75, 7, 2)[0]



def distance_from_kinks(model, pixels) -> float:
    """How near any input of a ReLU6 comes to 0 or 6: a rounding error that crosses one changes gradients by per cents."""
    nearest = []
    hooks = [m.register_forward_pre_hook(lambda _, x: nearest.append(torch.minimum(x[0].abs(), (x[0] - 6).abs()).min().item()))
             for m in model.modules() if isinstance(m, torch.nn.ReLU6)]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return min(nearest)


# Gradients on the small picture that keeps farthest from the kinks.
model = run_torchvision(0.35, 33, 7, 1)[1]
inputs = max((f"pixels{i}" for i in range(200)), key=lambda name: distance_from_kinks(model, values(name, (1, 3, 33, 33))))
pixels = values(inputs, (1, 3, 33, 33))
print(inputs, distance_from_kinks(model, pixels))
loss = torch.nn.functional.cross_entropy(model(pixels), torch.tensor([3]))
loss.backward()
names = ["features.0.0.weight", "features.0.1.bias", "features.2.conv.1.0.weight", "features.9.conv.2.weight", "features.17.conv.3.weight", "features.18.0.weight", "classifier.1.weight"]
parameters = dict(model.named_parameters())
training = {"inputs": inputs, "loss": loss.item(), "gradients": {n: sample(parameters[n].grad) for n in names}}
FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text(json.dumps({
    "torchvision": [small, run_torchvision(1.0, 224, 1000, 1)[0], run_torchvision(1.4, 96, 11, 1)[0]],
    "transformers": [run_transformers(0.35, 75, 7, 2), run_transformers(1.0, 224, 1001, 1)],
    "training": training,
}))
