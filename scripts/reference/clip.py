"""Fixtures of CLIP from transformers, weights and pixels by formula.

Run: python scripts/reference/clip.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/clip.json.
"""
import json
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

from formula import values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/clip.json"
# OpenAI's end token: 2 in the file, the largest id in fact.
LARGEST = dict(
    text_config=dict(vocab_size=61, hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=17, eos_token_id=2),
    vision_config=dict(hidden_size=30, intermediate_size=41, num_hidden_layers=2, num_attention_heads=3, image_size=35, patch_size=8),
    projection_dim=20,
)
FIRST = dict(
    text_config=dict(vocab_size=43, hidden_size=30, intermediate_size=50, num_hidden_layers=2, num_attention_heads=5, max_position_embeddings=9, eos_token_id=40,
                     hidden_act="gelu", layer_norm_eps=1e-6),
    vision_config=dict(hidden_size=24, intermediate_size=37, num_hidden_layers=3, num_attention_heads=2, image_size=21, patch_size=7, num_channels=1, hidden_act="gelu",
                       layer_norm_eps=1e-4),
    projection_dim=13,
)
# One activation in each tower, and the first end token of several.
MIXED = dict(LARGEST, text_config=dict(LARGEST["text_config"], eos_token_id=7, hidden_act="gelu"), projection_dim=32)
torch.manual_seed(8)


def tower(out):
    return {
        "lastHiddenState": sample(out.last_hidden_state), "poolerOutput": sample(out.pooler_output), "hiddenStates": [sample(h) for h in out.hidden_states],
        "attentions": [sample(a) for a in out.attentions],
    }


def case(config, ids, images, mask=None, positions=None, loss=False):
    model, named = filled(CLIPModel(CLIPConfig(**config)))
    vision = model.config.vision_config
    pixels = values("pixels", (images, vision.num_channels, vision.image_size, vision.image_size))
    inputs = {k: torch.tensor(v) for k, v in dict(input_ids=ids, attention_mask=mask, position_ids=positions).items() if v is not None}
    out = model(**inputs, pixel_values=pixels, return_loss=loss, output_hidden_states=True, output_attentions=True)
    result = {
        "config": config, "names": list(named) if config else None, "inputs": {k: v.tolist() for k, v in inputs.items()}, "images": images,
        "logitsPerImage": out.logits_per_image.flatten().tolist(), "logitsPerText": out.logits_per_text.flatten().tolist(),
        "imageEmbeds": sample(out.image_embeds), "textEmbeds": sample(out.text_embeds),
        "textModelOutput": tower(out.text_model_output), "visionModelOutput": tower(out.vision_model_output),
    }
    if loss:
        result |= {"loss": out.loss.item(), "gradients": gradients(out.loss, named, lambda name: name.endswith("k_proj.bias"))}
    return result


def words(high, *shape):
    return torch.randint(3, high, shape).tolist()


largest = words(60, 3, 11)
for row, length in zip(largest, (11, 6, 8)):
    row[length - 1] = 60
    row[length:] = [0] * (11 - length)
first = words(40, 2, 8)
first[0][-1] = 40
first[1][3] = first[1][7] = 40
mixed = [[5, 7, 12, 30, 8, 7], [60, 3, 4, 7, 7, 1]]
base = [[49406, *row, 49407] for row in words(49000, 2, 7)]

FILE.write_text(json.dumps([
    case(LARGEST, largest, 3, [[int(i < n) for i in range(11)] for n in (11, 6, 8)], loss=True),
    # Padding on the left, positions said, more pictures than texts; the second row's end comes twice.
    case(FIRST, first, 3, [[0, 0] + [1] * 6, [1] * 8], [[0, 0, 0, 1, 2, 3, 4, 5], [8, 0, 1, 2, 3, 4, 5, 6]]),
    case(MIXED, mixed, 2, loss=True),
    # A text without its end token.
    case(FIRST, [[3, 4, 5, 6]], 1),
    case({}, base, 1),
]))
