"""Fixtures of ResNet from transformers (small ones, every option), torchvision (ResNet-101) and timm (names), weights and pixels by formula.

Run: python scripts/reference/resnet.py   (torch 2.15.0, torchvision 0.29.2, transformers 5.23, timm 1.0.31)
Writes test/fixtures/models/resnet.json.
"""
import json
from pathlib import Path

import timm
import torch
import torchvision
from transformers import ResNetConfig, ResNetForImageClassification

from convolutional import outputs, training
from formula import fill, values

FILE = Path(__file__).parents[2] / "test/fixtures/models/resnet.json"


def hugging_face(config, batch, height, width, train=None):
    model = ResNetForImageClassification(ResNetConfig(**config))
    fill(model)
    model.eval()
    with torch.no_grad():
        out = model(values("pixels", (batch, config["num_channels"], height, width)), output_hidden_states=True)
    result = {"config": config, "batch": batch, "height": height, "width": width, "names": [n for n in model.state_dict() if "num_batches" not in n],
              **outputs(out.hidden_states, out.hidden_states[-1], out.logits)}
    if train:
        shape, labels = train
        result["training"] = [training(model, (len(labels), config["num_channels"], *shape), labels, 60, mode, lambda out: out.logits) for mode in (False, True)]
    return result


def torchvision_101():
    model = torchvision.models.resnet101()
    fill(model)
    model.eval()
    hidden = []
    for module in (model.maxpool, model.layer1, model.layer2, model.layer3, model.layer4):
        module.register_forward_hook(lambda _, __, output: hidden.append(output))
    names = [n for n in model.state_dict() if "num_batches" not in n]
    timm_names = [n for n in timm.create_model("resnet101.a1h_in1k", pretrained=False).state_dict() if "num_batches" not in n]
    assert sorted(names) == sorted(timm_names)
    with torch.no_grad():
        logits = model(values("pixels", (1, 3, 224, 224)))
    return {"names": names, **outputs(hidden, hidden[-1], logits)}


common = {"num_channels": 3, "num_labels": 5}
FILE.write_text(json.dumps({
    "transformers": [
        hugging_face({**common, "embedding_size": 9, "hidden_sizes": [12, 20, 28, 36], "depths": [2, 1, 2, 1], "layer_type": "bottleneck"}, 2, 75, 61, ((33, 33), [4, 0, 2])),
        hugging_face({**common, "embedding_size": 7, "hidden_sizes": [7, 10, 13, 11], "depths": [1, 2, 1, 1], "layer_type": "basic"}, 1, 64, 50, ((35, 34), [1, 3])),
        hugging_face({"num_channels": 1, "num_labels": 3, "embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 1, 2], "layer_type": "bottleneck",
                      "downsample_in_first_stage": True, "downsample_in_bottleneck": True}, 1, 130, 97),
    ],
    "resnet101": torchvision_101(),
}))
