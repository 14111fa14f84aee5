"""PyTorch's side of bench/convolutional.ts: for every line "NAME N" read, N forward passes in channels_last; prints wall and processor milliseconds as JSON."""
import json
import sys
import time

import timm
import torch

settings = json.loads(sys.argv[1])
networks = {}


def network(name):
    if name not in networks:
        model = timm.create_model(name, pretrained=False).eval().to(memory_format=torch.channels_last)
        networks[name] = model, torch.rand(settings["batch"], 3, settings["size"][name], settings["size"][name]).to(memory_format=torch.channels_last)
    return networks[name]


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
for line in sys.stdin:
    name, count = line.split()
    model, pixels = network(name)
    times = []
    with torch.inference_mode():
        for _ in range(int(count)):
            wall, used = time.perf_counter(), time.process_time()
            model(pixels)
            times.append([1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - used)])
    print(json.dumps(times), flush=True)
