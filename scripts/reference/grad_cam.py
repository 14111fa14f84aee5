"""Fixture of Grad-CAM on BLIP's cross attention, weights and pictures by formula: every word by a backward pass of its own.

Run: python scripts/reference/grad_cam.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/explain/grad-cam.json.
"""
import json
from pathlib import Path

import torch
from transformers import BlipConfig, BlipForConditionalGeneration

from formula import uniform
from hub import filled

FILE = Path(__file__).parents[2] / "test/fixtures/explain/grad-cam.json"
CONFIG = dict(
    vision_config=dict(hidden_size=30, intermediate_size=41, num_hidden_layers=2, num_attention_heads=3, image_size=32, patch_size=8),
    # Ids of the tokenizer in test/fixtures/tokenizers/word-piece.
    text_config=dict(vocab_size=700, hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=27, bos_token_id=2,
                     eos_token_id=2, sep_token_id=3, pad_token_id=0),
)
OPTIONS = [dict(max_new_tokens=7, no_repeat_ngram_size=1), dict(max_new_tokens=5, num_beams=3, no_repeat_ngram_size=2)]


def pixels(count):
    """Pictures as stored: whole numbers from 0 to 255, (count, height, width, 3)."""
    size = CONFIG["vision_config"]["image_size"]
    return torch.from_numpy((uniform("pictures", count * size * size * 3) * 256).astype("uint8")).reshape(count, size, size, 3)


def grad_cam(model, picture, tokens):
    """[layer][word]: mean over heads of attention times gradient, the negative cut off and not; the class token's left out."""
    states = model.vision_model(picture).last_hidden_state
    ids = torch.tensor([[model.config.text_config.bos_token_id, *tokens[:-1]]])
    plain, positive = [], []
    for at, token in enumerate(tokens):
        out = model.text_decoder(input_ids=ids, encoder_hidden_states=states, output_attentions=True)
        score = out.logits[0, at].log_softmax(-1)[token]
        found = torch.autograd.grad(score, out.cross_attentions)
        both = [(a[0, :, at, 1:], g[0, :, at, 1:]) for a, g in zip(out.cross_attentions, found)]
        plain.append([(a * g).mean(0).tolist() for a, g in both])
        positive.append([(a * g.clamp(min=0)).mean(0).tolist() for a, g in both])
    by_layer = lambda words: [[[float(f"{v:.8g}") for v in layer] for layer in layers] for layers in zip(*words)]
    return by_layer(plain), by_layer(positive)


model, _ = filled(BlipForConditionalGeneration(BlipConfig(**CONFIG)))
raw = pixels(2)
prepared = ((raw.float() / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
cases = []
for options in OPTIONS:
    for image in range(2):
        sequence = model.generate(prepared[image : image + 1], **options)[0].tolist()
        tokens = sequence[1:]
        tokens = tokens[: tokens.index(3) + 1] if 3 in tokens else tokens
        plain, positive = grad_cam(model, prepared[image : image + 1], tokens)
        cases.append({"image": image, "options": options, "tokens": tokens, "plain": plain, "positive": positive})
FILE.parent.mkdir(exist_ok=True)
FILE.write_text(json.dumps({"config": CONFIG, "cases": cases}))
