"""
ONNX Runtime's side of bench/generation.ts: greedy texts. A VisionEncoderDecoderModel (ViT, GPT-2) becomes two graphs: pictures to every
layer's keys and values of cross attention; and one token with the keys and values so far to the next token and the longer keys and values.
"""
import functools
import json
import os
import sys

import numpy as np
import onnxruntime
import torch
import transformers
from torch import nn
from torch.nn import functional as F
from transformers import VisionEncoderDecoderModel

from harness.peer import serve, timed, values

settings = json.loads(sys.argv[1])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder, self.layers, self.heads = model.encoder, model.decoder.transformer.h, model.decoder.config.n_head

    def forward(self, pixels):
        states = self.encoder(pixels).last_hidden_state
        return tuple(heads(part, self.heads) for layer in self.layers for part in layer.crossattention.c_attn(states).chunk(2, -1))


class Step(nn.Module):
    """One token further: ids (B, 1), position (1), each layer's cross keys and values, each layer's past keys and values."""

    def __init__(self, model):
        super().__init__()
        self.transformer, self.head = model.decoder.transformer, model.decoder.lm_head

    def forward(self, ids, position, *states):
        transformer, count = self.transformer, self.transformer.config.n_head
        layers, present = len(transformer.h), []
        hidden = transformer.wte(ids) + transformer.wpe(position)
        for i, layer in enumerate(transformer.h):
            cross = states[2 * i : 2 * i + 2]
            past = states[2 * layers + 2 * i : 2 * layers + 2 * i + 2]
            query, *new = (heads(part, count) for part in layer.attn.c_attn(layer.ln_1(hidden)).chunk(3, -1))
            own = [torch.cat(pair, 2) for pair in zip(past, new)]
            present += own
            attended = F.scaled_dot_product_attention(query, *own)
            hidden = hidden + layer.attn.c_proj(attended.transpose(1, 2).flatten(2))
            query = heads(layer.crossattention.q_attn(layer.ln_cross_attn(hidden)), count)
            attended = F.scaled_dot_product_attention(query, *cross)
            hidden = hidden + layer.crossattention.c_proj(attended.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(layer.ln_2(hidden))
        return self.head(transformer.ln_f(hidden)[:, -1]).argmax(-1, keepdim=True), *present


def session(file, make):
    """Of a graph in the folder, exported first where it is not there yet; `make` gives torch.onnx.export's arguments."""
    file = f"{settings['folder']}/{file}"
    if not os.path.exists(file):
        stdout, sys.stdout = sys.stdout, sys.stderr
        with torch.inference_mode():
            make(file)
        sys.stdout = stdout
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


@functools.cache
def model():
    return VisionEncoderDecoderModel.from_pretrained(settings["folder"]).eval()


def export_encoder(file):
    size = model().encoder.config.image_size
    torch.onnx.export(Encoder(model()).eval(), (torch.zeros(1, 3, size, size),), file, input_names=["pixels"], output_names=crosses, dynamo=True)


def export_step(file):
    config, size = model().decoder.config, model().encoder.config.image_size
    # Each a tensor of its own: the export takes the same one twice for the same input.
    states = [torch.zeros(1, config.n_head, 3, config.n_embd // config.n_head) for _ in pasts]
    of_any_length = {2: torch.export.Dim("past", min=1, max=1000)}
    torch.onnx.export(
        Step(model()).eval(), (torch.tensor([[1]]), torch.tensor([3]), *Encoder(model())(torch.zeros(1, 3, size, size)), *states), file,
        input_names=["ids", "position", *crosses, *pasts], output_names=["next", *[name.replace("past", "present") for name in pasts]],
        dynamic_shapes=({}, {}, tuple([{}] * len(crosses) + [of_any_length] * len(pasts))), dynamo=True,
    )


crosses, pasts = ([f"{what}_{i}" for i in range(2 * settings["layers"])] for what in ("cross", "past"))
encoder, step = session("encoder.onnx", export_encoder), session("step.onnx", export_step)


def work(pixels, beams):
    assert pixels["shape"][0] == 1 and beams == 1
    pictures = np.ascontiguousarray(values(**pixels).transpose(0, 3, 1, 2))

    def run():
        feed = dict(zip(crosses, encoder.run(None, {"pixels": pictures})))
        empty = np.zeros((1, feed["cross_0"].shape[1], 0, feed["cross_0"].shape[3]), np.float32)
        past, ids = [empty] * len(pasts), [settings["start"]]
        for position in range(settings["tokens"]):
            feed |= {"ids": np.array([ids[-1:]]), "position": np.array([position]), **dict(zip(pasts, past))}
            found, *past = step.run(None, feed)
            ids.append(int(found[0, 0]))
            if ids[-1] == settings["end"]:
                break
        return [ids]

    return run


def generate(**request):
    return work(**request)()


def time(steps, **request):
    return timed(work(**request), steps)


serve(f"ONNX Runtime {onnxruntime.__version__}", os.cpu_count(), generate, time)
