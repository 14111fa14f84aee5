"""Reads every small checkpoint of weights/ with the library its layout belongs to, strictly, and runs it: nothing missing, nothing left
over, finite results.   python scripts/reference/small_checkpoints.py
"""
import json
import sys
from pathlib import Path

import torch

weights = Path(__file__).resolve().parents[2] / "weights"


def transformers_model(folder: Path, name: str):
    import transformers
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    problems = {key: sorted(value) for key, value in info.items() if value}
    # Tied output layers have no tensor of their own.
    tied = all("lm_head" in name or "predictions.decoder" in name for name in problems.get("missing_keys", []))
    problems = {key: value for key, value in problems.items() if not (key == "missing_keys" and tied)}
    assert not problems, problems
    return model.eval()


def timm_model(folder: Path, config: dict):
    import timm
    from safetensors.torch import load_file
    arguments = {**config.get("model_args", {}), "num_classes": config["num_classes"]}
    model = timm.create_model(config["architecture"], **arguments)
    stored = load_file(folder / "model.safetensors")
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored.items()}
    model.load_state_dict(state, strict=True)
    return model.eval()


def pictures(folder: Path, config: dict) -> torch.Tensor:
    if "pretrained_cfg" in config:
        _, height, width = config["pretrained_cfg"]["input_size"]
    else:
        size = json.loads((folder / "preprocessor_config.json").read_text())["size"]
        height, width = size.get("height") or size.get("longest_edge"), size.get("width") or size.get("longest_edge")
    return torch.linspace(-1, 1, 3 * height * width).reshape(1, 3, height, width)


def check(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    with torch.no_grad():
        if config.get("architecture") == "inception_resnet_v2":
            return f"{folder.name}: left out, timm builds the published width only"
        if "architecture" in config:
            name = config["architecture"]
            output = timm_model(folder, config)(pictures(folder, config))
        else:
            name = config["architectures"][0]
            model = transformers_model(folder, name)
            inputs = {}
            if (folder / "tokenizer.json").exists():
                from transformers import AutoTokenizer
                tokenizer = AutoTokenizer.from_pretrained(folder)
                text = "Two red balls on the beach."
                if "Idefics3" in name or "SmolVLM" in name:
                    side = model.config.vision_config.image_size // model.config.vision_config.patch_size // model.config.scale_factor
                    text = "<image>" * side * side + text
                inputs = dict(tokenizer(text, return_tensors="pt"))
                assert not (inputs["input_ids"] >= len(tokenizer)).any()
                if "token_type_ids" in inputs and "Bert" not in name:
                    inputs.pop("token_type_ids")
            if (folder / "preprocessor_config.json").exists():
                pixels = pictures(folder, config)
                inputs["pixel_values"] = pixels.unsqueeze(1) if "Idefics3" in name or "SmolVLM" in name else pixels
            output = model(**inputs)
            output = output.logits_per_image if hasattr(output, "logits_per_image") else output.logits
    assert torch.isfinite(output).all()
    return f"{folder.name}: {name}, output {tuple(output.shape)}"


failed = False
for folder in sorted(weights.glob("*-scenes")):
    try:
        print(check(folder))
    except Exception as error:  # noqa: BLE001 - all folders are looked at before the script fails
        failed = True
        print(f"{folder.name}: FAILED: {type(error).__name__}: {error}")
sys.exit(failed)
