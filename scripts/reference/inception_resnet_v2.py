"""Fixtures of Inception-ResNet-v2 from timm, weights and pixels by formula: narrow and short ones, and the published one.

Run: python scripts/reference/inception_resnet_v2.py   (torch 2.15.0, timm 1.0.31)
Writes test/fixtures/models/inception-resnet-v2.json.
"""
import json
import math
from pathlib import Path

import timm
import torch
from timm.layers import ConvNormAct
from timm.models.inception_resnet_v2 import Block17, Block35, Block8
from torch import nn

from convolutional import outputs, training
from formula import fill, values

FILE = Path(__file__).parents[2] / "test/fixtures/models/inception-resnet-v2.json"


def build(config):
    """timm's network with every convolution `width` times as wide and fewer residual blocks; the lazy layers find their inputs' widths."""
    factor, repeats, classes, channels = (config.get(key, default) for key, default in (("width", 1), ("repeats", [10, 20, 9]), ("num_classes", 1000), ("in_chans", 3)))
    model = timm.create_model("inception_resnet_v2", pretrained=False, num_classes=classes, in_chans=channels).eval()
    for name, count in zip(("repeat", "repeat_1", "repeat_2"), repeats):
        setattr(model, name, getattr(model, name)[:count])
    if factor == 1:
        return model

    def width(published):
        return max(1, math.floor(published * factor + 0.5))

    at8 = width(96) + width(64) + width(96) + width(64)
    at16 = at8 + 2 * width(384)
    at32 = at16 + width(384) + width(288) + width(320)
    for module in model.modules():
        if isinstance(module, ConvNormAct):
            conv = module.conv
            module.conv = nn.LazyConv2d(width(conv.out_channels), conv.kernel_size, conv.stride, conv.padding, bias=False)
            module.bn = type(module.bn)(width(conv.out_channels), eps=module.bn.eps)
        elif isinstance(module, (Block35, Block17, Block8)):
            module.conv2d = nn.LazyConv2d(at8 if isinstance(module, Block35) else at16 if isinstance(module, Block17) else at32, 1)
    model.classif = nn.LazyLinear(classes)
    with torch.no_grad():
        model.eval()(torch.zeros(1, channels, 75, 75))
    return model


def case(config, batch, height, width, train=None):
    model = build(config)
    fill(model)
    model.eval()
    with torch.no_grad():
        pixels = values("pixels", (batch, config.get("in_chans", 3), height, width))
        features, hidden = model.forward_intermediates(pixels)
        logits = model.forward_head(features)
        torch.testing.assert_close(logits, model(pixels))
    result = {"config": config, "batch": batch, "height": height, "width": width, "names": [n for n in model.state_dict() if "num_batches" not in n],
              **outputs(hidden, features, logits, 48)}
    if train:
        shape, labels = train
        result["training"] = [training(model, (len(labels), config.get("in_chans", 3), *shape), labels, 60, mode, count=6) for mode in (False, True)]
    return result


FILE.write_text(json.dumps([
    case({"width": 0.06, "repeats": [1, 2, 1], "num_classes": 5}, 2, 91, 107, ((107, 107), [4, 0, 2])),
    case({"width": 0.1, "repeats": [2, 1, 0], "num_classes": 3, "in_chans": 1}, 1, 131, 75),
    case({}, 1, 299, 299),
]))
