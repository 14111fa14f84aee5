"""CLIPScore, RefCLIPScore and zero-shot logits by transformers' CLIP and the published formula, on a tiny network filled by formula, the tiny CLIP tokenizer of
test/fixtures/tokenizers/clip-bpe and pictures of test/fixtures/images.

Run: python scripts/reference/clip_score.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/metrics/clip-score.json.
"""
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

from formula import values

FIXTURES = Path(__file__).parents[2] / "test/fixtures"
PICTURES = ["rgb.jpg.rgb.png", "drawing-90x60.png", "orientation-6.jpg.rgb.png", "cmyk.jpg.rgb.png"]
CAPTIONS = ["a red ball on the grass", "Two birds fly over a house.", "", "a dog " + "runs and " * 20]
PROMPTS = ["A photo depicts {object}", "No {object}, no score."]
REFERENCES = [["a ball lies on grass", "the red ball"], ["birds above a house"], ["noise", "some coloured squares", "nothing"], ["a dog runs"]]

tokenizer = CLIPTokenizer.from_pretrained(FIXTURES / "tokenizers/clip-bpe")
text = dict(vocab_size=841, hidden_size=20, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=24, bos_token_id=839, eos_token_id=840, pad_token_id=840)
vision = dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=3, image_size=24, patch_size=8)
model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=10))
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    file = Path(folder) / "model.safetensors"
    stored = {key: values(key, tuple(t.shape)) for key, t in load_file(file).items()}
    save_file(stored, file, metadata={"format": "pt"})
    config = json.loads((Path(folder) / "config.json").read_text())
    model = CLIPModel.from_pretrained(folder, attn_implementation="eager").eval()
processor = CLIPImageProcessor(do_resize=False, crop_size={"height": 24, "width": 24})  # resizing has fixtures of its own


def unit(features):
    features = features if isinstance(features, torch.Tensor) else features.pooler_output
    rows = features.detach().numpy()
    return rows / np.sqrt((rows**2).sum(1, keepdims=True))


def texts(strings):
    batch = tokenizer(["A photo depicts " + s for s in strings], truncation=True, max_length=24, padding=True, return_tensors="pt")
    return unit(model.get_text_features(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]))


def tokens(prompt):
    filled = [prompt.replace("{object}", s) for s in CAPTIONS]
    return tokenizer(filled, truncation=True, max_length=24, padding=True, return_tensors="pt")


with torch.no_grad():
    pixels = processor([Image.open(FIXTURES / "images" / name).convert("RGB") for name in PICTURES], return_tensors="pt")["pixel_values"]
    # Zero-shot: each caption is the name of a class. An ensemble as in OpenAI's notebook for ImageNet: mean of unit vectors, made a unit vector.
    alone = [model(**tokens(prompt), pixel_values=pixels) for prompt in PROMPTS]
    mean = sum(out.text_embeds for out in alone) / len(alone)
    ensemble = model.logit_scale.exp() * alone[0].image_embeds @ (mean / mean.norm(dim=-1, keepdim=True)).T
    images = unit(model.get_image_features(**processor([Image.open(FIXTURES / "images" / name).convert("RGB") for name in PICTURES], return_tensors="pt")))
    candidates = texts(CAPTIONS)
    scores = 2.5 * np.clip((images * candidates).sum(1), 0, None)
    best = np.array([max((candidates[i] * row).sum() for row in texts(references)) for i, references in enumerate(REFERENCES)]).clip(0)
    ref_scores = 2 * scores * best / (scores + best)
(FIXTURES / "metrics/clip-score.json").write_text(json.dumps({
    "config": config, "tensors": {key: list(t.shape) for key, t in stored.items()}, "processor": json.loads(processor.to_json_string()), "pictures": PICTURES, "captions": CAPTIONS,
    "references": REFERENCES, "imageEmbeds": images.flatten().tolist(), "textEmbeds": candidates.flatten().tolist(), "CLIPScore": scores.tolist(), "RefCLIPScore": ref_scores.tolist(),
    "prompts": PROMPTS, "logitsPerImage": [out.logits_per_image.tolist() for out in alone], "ensembleLogits": ensemble.tolist(),
}))
print(scores, ref_scores)
