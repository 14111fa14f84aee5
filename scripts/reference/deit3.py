"""Fixtures of DeiT-III from timm, weights and pixels by formula.

Run: python scripts/reference/deit3.py   (torch 2.15.0, timm 1.0.31)
Writes test/fixtures/models/deit3.json.
"""
import json
from pathlib import Path

import timm
import torch

from formula import fill, values
from hub import gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/deit3.json"
SMALL = dict(img_size=35, patch_size=8, embed_dim=32, depth=3, num_heads=4, mlp_ratio=1.75, num_classes=5)
OTHER = dict(img_size=21, patch_size=7, in_chans=1, embed_dim=30, depth=2, num_heads=3, mlp_ratio=1.5, num_classes=3)


def case(config, batch, labels=None):
    # The arguments here are laid over deit3_base's, so that what the architecture implies comes from timm.
    model = timm.create_model("deit3_base_patch16_224", pretrained=False, **config)
    fill(model)
    model.eval()
    attentions = []
    for block in model.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _, inputs, __: attentions.append(inputs[0]))
    pixels = values("pixels", (batch, config.get("in_chans", 3), config.get("img_size", 224), config.get("img_size", 224)))
    hidden = []
    model.norm_pre.register_forward_hook(lambda _, __, output: hidden.append(output))
    for block in model.blocks:
        block.register_forward_hook(lambda _, __, output: hidden.append(output))
    features = model.forward_features(pixels)
    logits = model.forward_head(features)
    result = {
        "config": config, "batch": batch, "names": [name for name, _ in model.named_parameters()], "lastHiddenState": sample(features), "logits": logits.flatten().tolist(),
        "hiddenStates": [sample(h) for h in hidden], "attentions": [sample(a) for a in attentions],
    }
    if labels:
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
        result |= {"labels": labels, "loss": loss.item(), "gradients": gradients(loss, dict(model.named_parameters()))}
    return result


FILE.write_text(json.dumps([case(SMALL, 2, [3, 0]), case(OTHER, 1), case({}, 1)]))
