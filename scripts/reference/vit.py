"""Fixtures of ViT from transformers and timm, weights and pixels by formula.

Run: python scripts/reference/vit.py   (torch 2.15.0, transformers 5.23, timm 1.0.31)
Writes test/fixtures/models/vit.json.
"""
import json
from pathlib import Path

import timm
import torch
from transformers import ViTConfig, ViTForImageClassification, ViTModel

from formula import fill, values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/vit.json"
SMALL = dict(image_size=35, patch_size=8, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=56)
OTHER = dict(image_size=21, patch_size=7, num_channels=1, hidden_size=30, num_hidden_layers=2, num_attention_heads=3, intermediate_size=41, qkv_bias=False,
             hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6)


def outputs(model, pixels):
    with torch.no_grad():
        out = model(pixels, output_hidden_states=True, output_attentions=True)
    return {
        "hiddenStates": [sample(h) for h in out.hidden_states], "attentions": [sample(a) for a in out.attentions],
        **({"logits": out.logits.flatten().tolist()} if "logits" in out else {"lastHiddenState": sample(out.last_hidden_state)}),
        **({"poolerOutput": out.pooler_output.flatten().tolist()} if out.get("pooler_output") is not None else {}),
    }


def case(cls, config, batch, classes=None, **options):
    model, named = filled(cls(ViTConfig(**config, **({"num_labels": classes} if classes else {})), **options), **options)
    pixels = values("pixels", (batch, config.get("num_channels", 3), config.get("image_size", 224), config.get("image_size", 224)))
    return model, named, pixels, {"config": config, "classes": classes, "batch": batch, "names": list(named) if config else None, **outputs(model, pixels)}


model, named, pixels, small = case(ViTForImageClassification, SMALL, 2, 5)
loss = model(pixels, labels=torch.tensor([3, 0])).loss
small |= {"labels": [3, 0], "loss": loss.item(), "gradients": gradients(loss, named, lambda name: name.endswith("key.bias"))}

TIMM = dict(img_size=35, patch_size=8, embed_dim=32, depth=3, num_heads=4, mlp_ratio=56 / 32, num_classes=5)
theirs = timm.models.VisionTransformer(**TIMM)
fill(theirs)
theirs.eval()
with torch.no_grad():
    timm_case = {"names": [[n, list(p.shape)] for n, p in theirs.named_parameters()], "features": sample(theirs.forward_features(pixels)), "logits": theirs(pixels).flatten().tolist()}

FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text(json.dumps({
    "classifiers": [small, case(ViTForImageClassification, OTHER, 1, 3)[3], case(ViTForImageClassification, {}, 1, 1000)[3]],
    "models": [case(ViTModel, SMALL, 1)[3], case(ViTModel, OTHER, 2, add_pooling_layer=False)[3]],
    "timm": timm_case,
}))
print(*small["names"], sep="\n")
