"""transformers' side of bench/generation.ts: texts for pictures by a VisionEncoderDecoderModel."""
import json
import sys

import torch
import transformers
from transformers import VisionEncoderDecoderModel

from harness.peer import serve, timed, values

settings = json.loads(sys.argv[1])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = VisionEncoderDecoderModel.from_pretrained(settings["folder"]).eval()


def work(pixels, beams):
    pictures = torch.from_numpy(values(**pixels)).permute(0, 3, 1, 2).contiguous()

    def run():
        with torch.inference_mode():
            return model.generate(
                pictures, num_beams=beams, do_sample=False, max_new_tokens=settings["tokens"], eos_token_id=settings["end"],
                decoder_start_token_id=settings["start"], pad_token_id=settings["start"], bos_token_id=settings["start"],
            )

    return run


def generate(**request):
    return work(**request)().tolist()


def time(steps, **request):
    return timed(work(**request), steps)


attention = model.decoder.config._attn_implementation
versions = f"PyTorch {torch.__version__}, transformers {transformers.__version__} ({attention} attention)"
serve(versions, torch.get_num_threads(), generate, time)
