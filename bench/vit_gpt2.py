"""PyTorch's side of bench/vit-gpt2.ts: transformers' VisionEncoderDecoderModel."""
import json
import sys

import torch
import transformers
from transformers import VisionEncoderDecoderModel

from harness.peer import values
from harness.training import serve_training

settings = json.loads(sys.argv[1])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = VisionEncoderDecoderModel.from_pretrained(settings["folder"])


def read(pixels, inputs, labels):
    return {
        "pixel_values": torch.from_numpy(values(**pixels)).permute(0, 3, 1, 2).contiguous(),
        "decoder_input_ids": torch.tensor(inputs), "labels": torch.tensor(labels),
    }


versions = f", transformers {transformers.__version__} ({model.decoder.config._attn_implementation} attention)"
serve_training(versions, model, lambda model, batch: model(**batch).loss, read, settings)
