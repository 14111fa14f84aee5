"""Fixtures of SmolVLM's processor from transformers: pictures of several sizes as tiles, prompts as ids.

Run from the project's folder with Pillow 11 (Pillow 13 changed the order of the passes):
    pip install "Pillow==11.3.0" num2words tokenizers transformers torch torchvision
    python scripts/reference/smolvlm_processor.py                      # a tiny tokenizer and its prompts, all pictures
    python scripts/reference/smolvlm_processor.py --published FOLDER   # also the ids by SmolVLM-256M's published files
Made with Pillow 11.3.0, transformers 5.23.0, tokenizers 0.23.3. Writes test/fixtures/smolvlm-processor.
"""
import argparse
import hashlib
import json
from itertools import groupby
from pathlib import Path

import numpy as np
import PIL
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Idefics3Processor, PreTrainedTokenizerFast, SmolVLMProcessor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

assert PIL.__version__.startswith("11."), PIL.__version__
OUT = Path(__file__).resolve().parents[2] / "test/fixtures/smolvlm-processor"
TINY = OUT / "tiny"
TEMPLATE = ("{{ bos_token }}{% for turn in messages %}{{ turn.role | capitalize }}:{% for part in turn.content %}{% if part.type == 'image' %}<image>{% else %} {{ part.text }}{% endif %}"
            "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}")
SIZES = [(37, 23), (23, 37), (64, 64), (200, 31), (90, 300), (16, 16), (5, 1), (1, 9), (300, 3), (129, 127)]
PUBLISHED_SIZES = [(300, 200), (200, 333)]


def picture(width, height):
    """test/images/smolvlm-image-processor.test.ts draws the same."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((x * 7 + y * 13 + c * 29 + (x * y) % 31 * 5) % 256).astype(np.uint8))


def bytes_of(values):
    return np.rint((values * 0.5 + 0.5) * 255).astype(np.uint8)


def pixels(processor, sizes):
    out = processor.preprocess([[picture(*size)] for size in sizes], return_tensors="np", return_row_col_info=True)
    tiles = np.moveaxis(out["pixel_values"], 2, -1)  # (texts, tiles, H, W, C)
    masks = out["pixel_attention_mask"]
    return {
        "sizes": sizes, "shape": list(tiles.shape), "rows": out["rows"], "columns": out["cols"], "valid": masks.sum(axis=(2, 3)).tolist(),
        "tiles": [[hashlib.sha256(bytes_of(tile).tobytes()).hexdigest()[:16] for tile, mask in zip(text, mask_of_text) if mask.any()] for text, mask_of_text in zip(tiles, masks)],
        "values": [float(f"{v:.8g}") for v in tiles[0].flatten()[:: max(1, tiles[0].size // 50)]],
    }


def tiny_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>",
               *[f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]]
    text = ["User: Assistant: Describe this image. What is in the picture? A small red boat and two people.\n\n"] * 3
    tokenizer.train_from_iterator(text, trainers.BpeTrainer(vocab_size=360, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), special_tokens=special, show_progress=False))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<end_of_utterance>", pad_token="<|im_end|>", unk_token="<|endoftext|>",
                                   additional_special_tokens=["<fake_token_around_image>", "<image>", "<end_of_utterance>"], model_max_length=8192)
    fast.chat_template = TEMPLATE
    fast.save_pretrained(TINY)
    return fast


def image():
    return {"type": "image"}


def text(words):
    return {"type": "text", "text": words}


CONVERSATIONS = [
    [{"role": "user", "content": [image(), text("Describe this image.")]}],
    [{"role": "user", "content": [text("What is in the picture? "), image(), text("and "), image(), text("?\n")]}, {"role": "assistant", "content": [text("A small red boat.")]},
     {"role": "USER", "content": [image()]}],
    [{"role": "user", "content": [text("Two people?")]}],
]


def runs(ids):
    """[id, how often] for ids in a row."""
    return [[key, len(list(group))] for key, group in groupby(ids)]


def prompts(processor, sizes):
    """Each conversation with pictures in turn, alone; then two together, padded on the left."""
    cases, at = [], 0
    for conversation in CONVERSATIONS:
        count = sum(part["type"] == "image" for message in conversation for part in message["content"])
        chosen = [sizes[(at + i) % len(sizes)] for i in range(count)]
        at += count
        prompt = processor.apply_chat_template(conversation, add_generation_prompt=True)
        out = processor(text=[prompt], images=[[picture(*size) for size in chosen]] if chosen else None)
        cases.append({"messages": conversation, "prompt": prompt, "sizes": chosen, "ids": runs(out["input_ids"][0])})
    together = processor(text=[cases[0]["prompt"], cases[1]["prompt"]], images=[[picture(*size) for size in case["sizes"]] for case in cases[:2]], padding=True, padding_side="left")
    return {"cases": cases, "together": {"ids": [runs(ids) for ids in together["input_ids"]], "attentionMask": [runs(mask) for mask in together["attention_mask"]]}}


parser = argparse.ArgumentParser()
parser.add_argument("--published", type=Path)
options = parser.parse_args()
TINY.mkdir(parents=True, exist_ok=True)
small = dict(size={"longest_edge": 128}, max_image_size={"longest_edge": 32})
tokenizer = tiny_tokenizer()
splitting = SmolVLMImageProcessorPil(**small)
(TINY / "preprocessor_config.json").write_text(json.dumps(splitting.to_dict(), indent=2) + "\n")
(TINY / "processor_config.json").write_text(json.dumps({"image_seq_len": 4, "processor_class": "SmolVLMProcessor"}) + "\n")
processor = SmolVLMProcessor(splitting, tokenizer, SmolVLMVideoProcessor(), image_seq_len=4, chat_template=TEMPLATE)
cases = {
    "pixels": [
        {"options": {}, **pixels(splitting, SIZES)},
        {"options": {"doImageSplitting": False}, **pixels(SmolVLMImageProcessorPil(**small, do_image_splitting=False), SIZES)},
        {"options": {"doResize": False}, **pixels(SmolVLMImageProcessorPil(**small, do_resize=False), SIZES)},
        {"options": {"resample": "bicubic", "size": {"longestEdge": 96}, "maxImageSize": {"longestEdge": 40}},
         **pixels(SmolVLMImageProcessorPil(size={"longest_edge": 96}, max_image_size={"longest_edge": 40}, resample=3), SIZES)},
        {"options": {"size": {"longestEdge": 2048}, "maxImageSize": {"longestEdge": 512}},
         **pixels(Idefics3ImageProcessorPil(size={"longest_edge": 2048}, max_image_size={"longest_edge": 512}), PUBLISHED_SIZES)},
    ],
    "prompts": prompts(processor, SIZES),
}
(OUT / "tiny.json").write_text(json.dumps(cases))
if options.published:
    published = PreTrainedTokenizerFast.from_pretrained(options.published)
    processor = Idefics3Processor(Idefics3ImageProcessorPil.from_pretrained(options.published), published, image_seq_len=64,
                                  chat_template=json.loads((options.published / "chat_template.json").read_text())["chat_template"])
    (OUT / "published.json").write_text(json.dumps(prompts(processor, [(300, 200), (50, 50), (200, 333), (400, 100), (9, 8)])))
