"""PyTorch's side of bench/vit-gpt2.ts. Every line read is a request in JSON: batches (pixels in a file, ids) and what to do with them,
"loss" (as in evaluation) or "train" (a step each); prints their losses and times and the process's peak memory as JSON."""
import json
import resource
import sys
import time

import numpy as np
import torch
import transformers
from transformers import VisionEncoderDecoderModel

folder, settings = sys.argv[1], json.loads(sys.argv[2])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = VisionEncoderDecoderModel.from_pretrained(folder)
optimizer = torch.optim.AdamW(model.parameters(), lr=settings["learningRate"], weight_decay=settings["weightDecay"])
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / settings["total"])


def read(batch):
    pixels = torch.from_numpy(np.fromfile(batch["pixels"], np.float32).reshape(batch["shape"]))
    return {
        "pixel_values": pixels.permute(0, 3, 1, 2).contiguous(),
        "decoder_input_ids": torch.tensor(batch["inputs"]),
        "labels": torch.tensor(batch["labels"]),
    }


def step(batch):
    optimizer.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), settings["maxGradNorm"])
    optimizer.step()
    schedule.step()
    return loss.item()


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak():
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


versions = f"PyTorch {torch.__version__}, transformers {transformers.__version__}"
print(f"{versions}, {torch.get_num_threads()} threads, {model.decoder.config._attn_implementation} attention", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    batches = [read(batch) for batch in request["batches"]]
    answer = {"losses": [], "seconds": [], "processor": []}
    reset_peak()
    model.train(request["what"] == "train")
    for batch in batches:
        start, used = time.perf_counter(), time.process_time()
        if request["what"] == "train":
            loss = step(batch)
        else:
            with torch.no_grad():
                loss = model(**batch).loss.item()
        answer["losses"].append(loss)
        answer["seconds"].append(time.perf_counter() - start)
        answer["processor"].append(time.process_time() - used)
    print(json.dumps({**answer, "peak": peak()}), flush=True)
