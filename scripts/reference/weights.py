"""Fixtures of files of weights, written by torch.save and judged by the safetensors library.

Run: OMP_NUM_THREADS=1 python scripts/reference/weights.py   (torch 2.15.0, safetensors 0.8.0)
Writes test/fixtures/weights: torch-zip.pth, torch-legacy.pth, torch-pickle5.pth, torch-wrapped.pt, torch-shared.bin, values.json (what
torch.load gives) and safetensors-verdicts.json (headers, and whether the reference library accepts them).

With a folder as argument, checks instead that transformers reads it as MobileNetV2ForImageClassification with no key missing or unexpected.
"""
import json
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import deserialize

FOLDER = Path(__file__).parents[2] / "test/fixtures/weights"


def entry(shape, begin, end, dtype="F32", **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def verdicts():
    one = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    cases = {
        "whole": ({"a": entry([1], 0, 4), "b": entry([1], 4, 8)}, 8),
        "in any order": ({"b": entry([1], 4, 8), "a": entry([1], 0, 4)}, 8),
        "a gap between tensors": ({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, 12),
        "a gap before the first": ({"a": entry([1], 4, 8)}, 8),
        "bytes left over": ({"a": entry([1], 0, 4)}, 8),
        "bytes missing": ({"a": entry([2], 0, 8)}, 4),
        "an overlap": ({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, 8),
        "the same bytes twice": ({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}, 4),
        "an empty tensor": ({"a": entry([0, 3], 0, 0), "b": entry([1], 0, 4)}, 4),
        "a scalar": ({"a": entry([], 0, 4)}, 4),
        "a product beyond 64 bits": ({"a": entry([2**32, 2**32], 0, 0)}, 0),
        "a product beyond 53 bits": ({"a": entry([2**30, 2**30], 0, 4)}, 4),
        "metadata": ({"__metadata__": {"a": "b"}}, 0),
        "metadata null": ({"__metadata__": None}, 0),
        "metadata that is no text": ({"__metadata__": {"a": 1}}, 0),
        "metadata that is a list": ({"__metadata__": ["a"]}, 0),
        "no tensors": ({}, 0),
        "spaces before": (" {}", 0),
        "spaces after": ("{}   ", 0),
        "zeros after": ("{}\0\0", 0),
        "a byte order mark": ("\ufeff{}", 0),
        "a further field": ({"a": entry([1], 0, 4, more=1)}, 4),
        "a missing field": ({"a": {"dtype": "F32", "shape": [1]}}, 4),
        "an unknown dtype": ({"a": entry([1], 0, 4, "toString")}, 4),
        "a negative size": ({"a": entry([-1], 0, 4)}, 4),
        "a fractional size": ({"a": entry([1.5], 0, 6)}, 6),
        "a field twice": ('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
        "a tensor twice": ('{"a":' + one + ',"a":' + one.replace("0,4", "4,8") + "}", 8),
        "a tensor named __proto__": ('{"__proto__":' + one + "}", 4),
    }
    for dtype, width in {"F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}.items():
        cases[f"dtype {dtype}"] = ({"a": entry([3], 0, 3 * width, dtype)}, 3 * width)
    result = {}
    for name, (header, data) in cases.items():
        text = header if isinstance(header, str) else json.dumps(header)
        try:
            deserialize(struct.pack("<Q", len(text.encode())) + text.encode() + bytes(data))
            accepted = True
        except Exception:
            accepted = False
        result[name] = {"header": text, "data": data, "accepted": accepted}
    return result


def tensors() -> OrderedDict:
    base = torch.arange(24, dtype=torch.float32) / 7
    state = OrderedDict(
        f64=torch.tensor([1 / 3, -2.0, 1e300], dtype=torch.float64), f32=torch.tensor([[1 / 3, float("inf")], [-0.0, 1e-40]]),
        f16=(base[:5] - 1).half(), bf16=(base[:5] - 1).bfloat16(), i64=torch.tensor([2**31 - 1, -5]), i32=torch.tensor([[7, -8]], dtype=torch.int32),
        i16=torch.tensor([-300], dtype=torch.int16), i8=torch.tensor([-3, 4], dtype=torch.int8), u8=torch.tensor([200], dtype=torch.uint8),
        boolean=torch.tensor([True, False]), scalar=torch.tensor(3), empty=torch.zeros(0, 3),
        transposed=base.view(4, 6).t(), strided=base.view(2, 3, 4)[:, 1:, ::2].permute(2, 0, 1), part=base[5:9], whole=base,
        expanded=torch.tensor([[2.5], [3.5]]).expand(2, 3), halfTurned=base.half().view(4, 6).t(), parameter=torch.nn.Parameter(base[:2].clone()),
    )
    state._metadata = OrderedDict({"": {"version": 1}})
    return state


def values(state) -> dict:
    def number(v):
        return str(v) if v != v or v in (float("inf"), float("-inf")) else v
    return {name: {"shape": list(t.shape), "values": [number(v) for v in t.detach().to(torch.float32).flatten().tolist()]} for name, t in state.items()}


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    state = tensors()
    torch.save(state, FOLDER / "torch-zip.pth")
    torch.save(state, FOLDER / "torch-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, FOLDER / "torch-pickle5.pth", pickle_protocol=5)
    few = {"weight": state["f32"], "tied": state["f32"], "unsigned": torch.tensor([60000, 1], dtype=torch.uint16)}
    torch.save(few, FOLDER / "torch-shared.bin")
    torch.save({"epoch": 3, "state_dict": {"weight": state["part"]}, "optimizer": {"lr": 0.1, "state": {}}}, FOLDER / "torch-wrapped.pt")
    # These files are our own, and weights_only does not know pickle protocol 5.
    loaded = {f: torch.load(FOLDER / f, weights_only=False) for f in ["torch-zip.pth", "torch-legacy.pth", "torch-pickle5.pth", "torch-shared.bin"]}
    loaded["torch-wrapped.pt"] = torch.load(FOLDER / "torch-wrapped.pt", weights_only=True)["state_dict"]
    (FOLDER / "values.json").write_text(json.dumps({file: values(s) for file, s in loaded.items()}))
    (FOLDER / "safetensors-verdicts.json").write_text(json.dumps(verdicts(), indent=1))


def check(folder: str) -> None:
    from transformers import MobileNetV2ForImageClassification

    model, info = MobileNetV2ForImageClassification.from_pretrained(folder, output_loading_info=True)
    print({key: sorted(value) for key, value in info.items() if not isinstance(value, str)})
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), "keys differ"
    model.load_state_dict(__import__("safetensors.torch").torch.load_file(Path(folder) / "model.safetensors"), strict=True)


if __name__ == "__main__":
    check(sys.argv[1]) if len(sys.argv) > 1 else write()
