"""Fixtures of BLIP's captioner from transformers, weights and pixels by formula.

Run: python scripts/reference/blip.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/blip.json.
"""
import json
from pathlib import Path

import torch
from transformers import BlipConfig, BlipForConditionalGeneration

from formula import values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/blip.json"
SMALL = dict(
    vision_config=dict(hidden_size=30, intermediate_size=41, num_hidden_layers=2, num_attention_heads=3, image_size=35, patch_size=8),
    text_config=dict(vocab_size=61, hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=27, bos_token_id=59,
                     eos_token_id=2, sep_token_id=54, pad_token_id=0, label_smoothing=0.1),
)
OTHER = dict(
    vision_config=dict(hidden_size=24, intermediate_size=37, num_hidden_layers=3, num_attention_heads=2, image_size=21, patch_size=7, hidden_act="gelu_pytorch_tanh",
                       layer_norm_eps=1e-4),
    text_config=dict(vocab_size=43, hidden_size=30, intermediate_size=50, num_hidden_layers=2, num_attention_heads=5, max_position_embeddings=19, bos_token_id=40,
                     eos_token_id=2, sep_token_id=3, pad_token_id=1, hidden_act="gelu_new", layer_norm_eps=1e-6),
)
# Salesforce/blip-image-captioning-base; transformers' default is 8 heads.
PUBLISHED = dict(text_config=dict(num_attention_heads=12))
torch.manual_seed(21)


def build(config):
    return filled(BlipForConditionalGeneration(BlipConfig(**config)))


def pixels(model, images):
    size = model.config.vision_config.image_size
    return values("pixels", (images, 3, size, size)) * 3


def words(high, *shape):
    return torch.randint(5, high, shape)


def outputs(model, named, config, ids, mask=None, labels=None, train=False):
    inputs = {k: v for k, v in dict(input_ids=ids, attention_mask=mask, labels=labels).items() if v is not None}
    picture = pixels(model, len(ids))
    # The decoder's own states are not among the model's outputs: they are asked of the decoder itself.
    decoded = model.text_decoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=model.vision_model(picture).last_hidden_state, output_hidden_states=True, output_attentions=True)
    out = model(pixel_values=picture, **inputs, output_hidden_states=True, output_attentions=True)
    result = {
        "config": config, "names": None if config is PUBLISHED else list(named), "inputs": {k: v.tolist() for k, v in inputs.items()},
        "logits": sample(out.logits, 200), "imageEmbeds": sample(out.image_embeds), "hiddenStates": [sample(h) for h in out.hidden_states],
        "attentions": [sample(a) for a in out.attentions], "decoderHiddenStates": [sample(h) for h in decoded.hidden_states],
        "decoderAttentions": [sample(a) for a in decoded.attentions], "crossAttentions": [sample(a) for a in decoded.cross_attentions],
    }
    if labels is not None:
        result["loss"] = out.loss.item()
    if train:
        result["gradients"] = gradients(out.loss, named, lambda name: name.endswith("key.bias"))
    return result


def grad_cam(model, config, ids, mask, position, word):
    """The gradient of one logit for every cross attention."""
    decoded = model.text_decoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=model.vision_model(pixels(model, len(ids))).last_hidden_state, output_attentions=True)
    score = decoded.logits[:, position, word].sum()
    return {
        "config": config, "inputs": {"input_ids": ids.tolist(), "attention_mask": mask.tolist()}, "position": position, "word": word, "score": score.item(),
        "crossAttentions": [sample(a) for a in decoded.cross_attentions], "gradients": [sample(g) for g in torch.autograd.grad(score, decoded.cross_attentions)],
    }


def generated(model, config, images, options, ids=None, mask=None):
    out = model.generate(pixels(model, images), None if ids is None else ids.clone(), mask, return_dict_in_generate=True, output_scores=True, **options)
    result = {
        "config": config, "images": images, "options": options, "inputs": {k: v.tolist() for k, v in dict(input_ids=ids, attention_mask=mask).items() if v is not None},
        "sequences": out.sequences.tolist(),
    }
    if options.get("num_beams", 1) > 1:
        result["scores"] = out.sequences_scores.tolist()
    else:
        # As beams are scored: the mean of the chosen words' log-probabilities, the end's included.
        chosen = model.text_decoder.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
        length = out.sequences.shape[1] - chosen.shape[1]
        scores = []
        for row, sequence in zip(chosen, out.sequences[:, length:].tolist()):
            end = model.config.text_config.sep_token_id
            count = sequence.index(end) + 1 if end in sequence else len(sequence)
            scores.append(row[:count].mean().item())
        result["scores"] = scores
    return result


small, small_names = build(SMALL)
other, other_names = build(OTHER)
ids = words(58, 3, 9)
mask = torch.ones_like(ids)
for row, length in zip((1, 2), (6, 8)):
    ids[row, length:] = 0
    mask[row, length:] = 0
other_ids = words(39, 2, 7)
other_labels = other_ids.clone()
other_labels[:, :2] = other_labels[1, -2:] = -100

prompts = words(58, 3, 5)
prompts[:, -1] = 54
padded = prompts.clone()
padded[1, 2:] = torch.tensor([54, 0, 0])
padded_mask = (padded != 0).long()
left = torch.tensor([[0, 0, 0, 7, 9, 3], [40, 6, 8, 11, 22, 3]])

result = {
    "cases": [
        outputs(small, small_names, SMALL, ids, mask, torch.where(mask == 1, ids, -100), train=True),
        outputs(other, other_names, OTHER, other_ids, None, other_labels, train=True),
        outputs(small, small_names, SMALL, words(58, 1, 27)),
    ],
    "gradCam": [grad_cam(small, SMALL, ids, mask, 4, 17), grad_cam(other, OTHER, other_ids, torch.ones_like(other_ids), -1, 30)],
    "generated": [
        generated(model, config, images, options, *prompt)
        for model, config, images, prompt in ((small, SMALL, 3, ()), (small, SMALL, 3, (prompts,)), (small, SMALL, 3, (padded,)), (small, SMALL, 3, (padded, padded_mask)),
                                              (other, OTHER, 2, ()), (other, OTHER, 2, (words(39, 2, 3),)), (other, OTHER, 2, (left, (left != 0).long())))
        for options in (
            {}, dict(num_beams=3), dict(num_beams=3, max_new_tokens=7, length_penalty=2.0, early_stopping=True, num_return_sequences=2, no_repeat_ngram_size=3),
            dict(max_length=14, min_length=8, repetition_penalty=2.5), dict(num_beams=4, max_new_tokens=9, no_repeat_ngram_size=2),
        )
    ],
}
large, large_names = build(PUBLISHED)
result["published"] = {
    **outputs(large, large_names, PUBLISHED, torch.cat([torch.tensor([[30522]]), words(30000, 1, 7)], 1)),
    "generated": generated(large, PUBLISHED, 1, dict(num_beams=3, max_new_tokens=5)),
}
FILE.write_text(json.dumps(result))
