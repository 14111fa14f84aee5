"""Checkpoint folders as transformers and timm write them: config.json whole, names and shapes of the tensors (the values come from formula.py),
and what the network answers to inputs by formula. Writes test/fixtures/models/checkpoints.json.
"""
import json
import tempfile
from pathlib import Path

import timm
import torch
import transformers
from safetensors.torch import load_file, save_file

from formula import uniform, values
from hub import sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/checkpoints.json"
VIT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, image_size=32, patch_size=8)
GPT2 = dict(vocab_size=61, n_positions=19, n_embd=32, n_layer=2, n_head=4)
BERT = dict(vocab_size=53, hidden_size=30, num_hidden_layers=2, num_attention_heads=3, intermediate_size=44, max_position_embeddings=17)
RESNET = dict(embedding_size=8, hidden_sizes=[12, 16, 20, 24], depths=[1, 2, 1, 1])
LLAMA = dict(vocab_size=59, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, pad_token_id=2, max_position_embeddings=32)
SMOLVLM = dict(vision_config=dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8), image_token_id=58, scale_factor=2,
               text_config=dict(**LLAMA, model_type="llama", rope_parameters={"rope_type": "default", "rope_theta": 700.0}))


def ids(count: int, below: int) -> torch.Tensor:
    return torch.from_numpy((uniform("ids", 2 * count) * (below - 3)).astype("int64") + 3).reshape(2, count)


def pixels(size: int) -> torch.Tensor:
    return values("pixels", (2, 3, size, size)) * 3


def transformer(name, config, inputs, output="logits", **folder):
    model = getattr(transformers, name)(config)
    with tempfile.TemporaryDirectory() as path:
        model.save_pretrained(path)
        file = Path(path) / "model.safetensors"
        stored = {key: values(key, tuple(t.shape)) for key, t in load_file(file).items()}
        save_file(stored, file, metadata={"format": "pt"})
        model = getattr(transformers, name).from_pretrained(path).eval()
        config = json.loads((Path(path) / "config.json").read_text())
    with torch.no_grad():
        answer = model(**inputs)[output]
    return {"name": name, "config": config, "tensors": {key: list(t.shape) for key, t in stored.items()}, "inputs": {key: list(t.shape) for key, t in inputs.items()}, "output": output,
            "values": sample(answer, 100)}


def of_timm(name, size, **arguments):
    """timm's own save_for_hf writes this config.json: architecture, num_classes, num_features, pretrained_cfg and, where given, model_args."""
    model = timm.create_model(name, **arguments).eval()
    state = {key: values(key, tuple(t.shape)) if t.is_floating_point() else t for key, t in model.state_dict().items()}
    model.load_state_dict(state)
    with tempfile.TemporaryDirectory() as path:
        timm.models.save_for_hf(model, path, model_args={key: value for key, value in arguments.items() if key != "num_classes"} or None, safe_serialization=True)
        config = json.loads((Path(path) / "config.json").read_text())
        stored = load_file(Path(path) / "model.safetensors")
    with torch.no_grad():
        answer = model(pixels(size))
    return {"name": name, "config": config, "tensors": {key: list(t.shape) for key, t in stored.items()}, "inputs": {"pixel_values": [2, 3, size, size]}, "output": "logits", "values": sample(answer, 100)}


t = transformers
FILE.write_text(json.dumps([
    transformer("ViTForImageClassification", t.ViTConfig(**VIT, num_labels=5), {"pixel_values": pixels(32)}),
    transformer("ViTModel", t.ViTConfig(**VIT), {"pixel_values": pixels(32)}, "last_hidden_state"),
    transformer("GPT2LMHeadModel", t.GPT2Config(**GPT2), {"input_ids": ids(7, 61)}),
    transformer("GPT2Model", t.GPT2Config(**GPT2), {"input_ids": ids(7, 61)}, "last_hidden_state"),
    transformer("BertForMaskedLM", t.BertConfig(**BERT), {"input_ids": ids(9, 53)}),
    transformer("BertForSequenceClassification", t.BertConfig(**BERT, num_labels=3), {"input_ids": ids(9, 53)}),
    transformer("BertModel", t.BertConfig(**BERT), {"input_ids": ids(9, 53)}, "last_hidden_state"),
    transformer("LlamaForCausalLM", t.LlamaConfig(**LLAMA, rope_parameters={"rope_type": "default", "rope_theta": 700.0}), {"input_ids": ids(7, 59)}),
    transformer("LlamaForCausalLM", t.LlamaConfig(**LLAMA, tie_word_embeddings=True, head_dim=10, mlp_bias=True), {"input_ids": ids(7, 59)}),
    transformer("LlamaModel", t.LlamaConfig(**LLAMA), {"input_ids": ids(7, 59)}, "last_hidden_state"),
    transformer("ResNetForImageClassification", t.ResNetConfig(**RESNET, num_labels=4), {"pixel_values": pixels(40)}),
    transformer("MobileNetV2ForImageClassification", t.MobileNetV2Config(depth_multiplier=0.35, num_labels=3), {"pixel_values": pixels(48)}),
    of_timm("resnet18", 40, layers=[1, 1, 2, 1], channels=[8, 12, 16, 20], num_classes=4),
    of_timm("resnet50", 40, layers=[1, 1, 1, 1], channels=[4, 6, 8, 10], num_classes=3),
    of_timm("mobilenetv2_035", 48, num_classes=4),
    transformer("SmolVLMForConditionalGeneration", t.SmolVLMConfig(**SMOLVLM), {"input_ids": ids(7, 59)}),
    transformer("Idefics3ForConditionalGeneration", t.Idefics3Config(**SMOLVLM, tie_word_embeddings=True), {"input_ids": ids(7, 59)}),
    of_timm("deit3_small_patch16_224", 48, img_size=48, embed_dim=36, depth=2, num_heads=3, num_classes=4),
], indent=0))
