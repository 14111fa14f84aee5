"""transformers' side of bench/smolvlm.ts: a text about one picture by SmolVLMForConditionalGeneration."""
import json
import sys

import torch
import transformers
from transformers import SmolVLMForConditionalGeneration

from harness.peer import serve, timed, values

settings = json.loads(sys.argv[1])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = SmolVLMForConditionalGeneration.from_pretrained(settings["folder"], dtype=torch.float32).eval()
ids = torch.tensor(settings["inputs"])
inputs = {
    "input_ids": ids, "attention_mask": torch.ones_like(ids),
    "pixel_values": torch.from_numpy(values(**settings["pixels"])).permute(0, 1, 4, 2, 3).contiguous(),
}


def run():
    with torch.inference_mode():
        return model.generate(**inputs, do_sample=False, max_new_tokens=settings["tokens"], eos_token_id=settings["end"], pad_token_id=2)


def generate():
    return run().tolist()


def time(steps):
    return timed(run, steps)


attention = model.config.text_config._attn_implementation
versions = f"PyTorch {torch.__version__}, transformers {transformers.__version__} ({attention} attention)"
serve(versions, torch.get_num_threads(), generate, time)
