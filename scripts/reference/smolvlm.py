"""Fixtures of SmolVLM from transformers, weights and pixels by formula.

Run: python scripts/reference/smolvlm.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/smolvlm.json.
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import Idefics3Config, Idefics3ForConditionalGeneration, SmolVLMConfig, SmolVLMForConditionalGeneration

from formula import values
from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/smolvlm.json"
IMAGE = 50  # the image token of the small models
SMALL = dict(
    image_token_id=IMAGE, scale_factor=2,
    vision_config=dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8),
    text_config=dict(model_type="llama", vocab_size=60, hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, pad_token_id=0,
                     rms_norm_eps=1e-5, rope_theta=10000.0, max_position_embeddings=128))
# 25 cells a side, where the positions depend on float32's last bits; pictures smaller than the grid; tied words.
ODD = dict(
    image_token_id=IMAGE, scale_factor=5, tie_word_embeddings=True,
    vision_config=dict(hidden_size=15, intermediate_size=22, num_hidden_layers=2, num_attention_heads=3, image_size=75, patch_size=3, hidden_act="gelu", layer_norm_eps=1e-5),
    text_config=dict(model_type="llama", vocab_size=57, hidden_size=30, intermediate_size=41, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, pad_token_id=2,
                     rope_theta=500.0, max_position_embeddings=128))
PUBLISHED = dict(
    image_token_id=49190, scale_factor=4,
    vision_config=dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=512, patch_size=16),
    text_config=dict(model_type="llama", vocab_size=49280, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, head_dim=64,
                     pad_token_id=2, rms_norm_eps=1e-5, rope_theta=100000.0, max_position_embeddings=8192))
torch.manual_seed(11)


def pixels(*shape):
    """Between −1 and 1."""
    count = 1
    for n in shape:
        count *= n
    return values("pixels", (count,)).reshape(shape) * 10


def case(cls, config, pictures, size, texts, mask=None, train=True):
    """`pictures` for each text; `texts` are ids where a run of image tokens stands for each picture; `mask` changes pixel values and mask."""
    config_class = Idefics3Config if cls is Idefics3ForConditionalGeneration else SmolVLMConfig
    model, named = filled(cls(config_class(**config)))
    most = max(pictures)
    pixel_values, pixel_mask = pixels(len(pictures), most, 3, size, size), torch.ones(len(pictures), most, size, size, dtype=torch.long)
    for row, count in enumerate(pictures):
        pixel_values[row, count:] = 0
        pixel_mask[row, count:] = 0
    if mask:
        mask(pixel_values, pixel_mask)
    length = max(len(text) for text in texts)
    pad = config["text_config"]["pad_token_id"]
    ids = torch.tensor([[pad] * (length - len(text)) + text for text in texts])
    attention_mask = torch.tensor([[0] * (length - len(text)) + [1] * len(text) for text in texts])
    labels = ids.masked_fill((attention_mask == 0) | (ids == config["image_token_id"]), -100)
    positions = (attention_mask.cumsum(-1) - 1).masked_fill(attention_mask == 0, 0)
    inputs = dict(input_ids=ids, attention_mask=attention_mask, position_ids=positions, pixel_values=pixel_values, pixel_attention_mask=pixel_mask if mask else None)
    out = model(**inputs, labels=labels, output_hidden_states=True, output_attentions=True)
    image_hidden = out.image_hidden_states
    if not torch.is_tensor(image_hidden):
        image_hidden = torch.cat(list(image_hidden.pooler_output))
    result = {
        "class": cls.__name__, "config": config, "names": list(named) if train else None, "pictures": pictures, "size": size, "masked": mask.__name__ if mask else None,
        "inputIds": ids.tolist(), "attentionMask": attention_mask.tolist(), "labels": labels.tolist(),
        "loss": out.loss.item(), "logits": sample(out.logits, 200), "hiddenStates": [sample(h, 40) for h in out.hidden_states], "attentions": [sample(a, 40) for a in out.attentions],
        "imageHiddenStates": sample(image_hidden, 200),
    }
    if not train:
        return result
    tower = model.model.vision_model
    side = size // config["vision_config"]["patch_size"]
    cut = torch.ones(1, side, side, dtype=torch.bool)
    cut[:, side // 2:] = False
    cut[:, :, -1] = False
    seen = tower(pixel_values[:1, 0], patch_attention_mask=cut, output_hidden_states=True, output_attentions=True)
    result["tower"] = {"lastHiddenState": sample(seen.last_hidden_state), "hiddenStates": [sample(h) for h in seen.hidden_states], "attentions": [sample(a) for a in seen.attentions]}
    # A key's bias in the tower has a true gradient of zero.
    result["gradients"] = gradients(out.loss, named, lambda name: "vision_model" in name and name.endswith("k_proj.bias"))
    del inputs["position_ids"]
    options = dict(max_new_tokens=8, eos_token_id=3, pad_token_id=pad)
    result["greedy"] = model.generate(**inputs, do_sample=False, **options).tolist()
    beams = model.generate(**inputs, do_sample=False, num_beams=3, num_return_sequences=2, length_penalty=0.5, return_dict_in_generate=True, output_scores=True, **options)
    result["beams"] = {"sequences": beams.sequences.tolist(), "scores": beams.sequences_scores.tolist()}
    text = ids.masked_fill(ids == config["image_token_id"], 7)
    result["text"] = {"inputIds": text.tolist(), "logits": sample(model(input_ids=text).logits)}
    return result


def bottom(pixel_values, pixel_mask):
    """The second picture of the first text ends in padding below and at the right; the fold of a patch counts as valid."""
    pixel_values[0, 1, :, 19:] = 0
    pixel_mask[0, 1, 19:] = 0
    pixel_values[0, 1, :, :, 10:] = 0
    pixel_mask[0, 1, :, 10:] = 0


def words(count):
    return torch.randint(4, 49, (count,)).tolist()


picture = [IMAGE] * 4
cases = [
    case(SmolVLMForConditionalGeneration, SMALL, [2, 3, 1], 32,
         [[1, *picture, *words(2), *picture, *words(3)], [1, *words(1), *picture, 5, *picture, *picture, *words(4)], [1, *picture, *words(2)]], bottom),
    case(Idefics3ForConditionalGeneration, SMALL, [1, 1], 16, [[1, IMAGE, *words(5)], [1, *words(2), IMAGE, *words(2)]]),
    case(SmolVLMForConditionalGeneration, ODD, [1, 2], 75, [[1, *[IMAGE] * 25, *words(3)], [1, *[IMAGE] * 25, *words(2), *[IMAGE] * 25]]),
    case(SmolVLMForConditionalGeneration, ODD, [1], 60, [[1, *[IMAGE] * 16, *words(3)]]),
    case(SmolVLMForConditionalGeneration, PUBLISHED, [1], 512, [[1, *[49190] * 64, *words(6)]], train=False),
]
FILE.write_text(json.dumps(cases))
for one in cases:
    print(one.get("greedy"), one.get("beams"))

# Cells of the position grid: for each number of cells and of valid patches.
from transformers.models.smolvlm.modeling_smolvlm import SmolVLMVisionEmbeddings  # noqa: E402

cells = {}
for n in range(1, 65):
    embeddings = SmolVLMVisionEmbeddings(transformers.SmolVLMVisionConfig(hidden_size=1, image_size=n, patch_size=1, num_channels=1))
    with torch.no_grad():
        embeddings.position_embedding.weight.copy_(torch.arange(n * n)[:, None])
        embeddings.patch_embedding.weight.zero_()
        embeddings.patch_embedding.bias.zero_()
        # Across as many patches as there are cells, down all smaller numbers.
        cells[n] = [embeddings(torch.zeros(1, 1, valid, valid), torch.ones(1, valid, valid, dtype=torch.bool)).flatten()[:valid].long().tolist() for valid in sorted({1, 2, n // 3 or 1, n - 1 or 1, n, n + 1})]
(FILE.parent / "smolvlm-positions.json").write_text(json.dumps(cells))
