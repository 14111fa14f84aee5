"""ONNX Runtime's side of bench/encoders.ts: the networks of encoders.py, exported by PyTorch."""
import json
import os
import sys

import numpy as np
import onnxruntime

from harness.peer import serve, timed, values

settings = json.loads(sys.argv[1])
file = f"{settings['folder']}/model.onnx"
pixels = np.ascontiguousarray(values(**settings["pixels"]).transpose(0, 3, 1, 2))
if not os.path.exists(file):
    import torch

    from encoders import Encoder

    stdout, sys.stdout = sys.stdout, sys.stderr
    model = Encoder(settings["name"], settings["folder"]).eval()
    torch.onnx.export(model, (torch.from_numpy(pixels),), file, input_names=["pixels"], output_names=["features"], dynamo=True)
    sys.stdout = stdout
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def run():
    return session.run(None, {"pixels": pixels})[0]


def features():
    out = f"{settings['folder']}/onnx.bin"
    np.ascontiguousarray(run()).tofile(out)
    return out


def time(steps):
    return timed(run, steps)


serve(f"ONNX Runtime {onnxruntime.__version__}", os.cpu_count(), features, time)
