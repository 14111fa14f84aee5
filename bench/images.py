"""The torchvision side of bench/images.ts: DataLoader workers that open with Pillow, resize, and normalise.

    python bench/images.py FILES.txt WORKERS FILTER ROUNDS    prints {"rate": photographs a second, "versions": ...}
"""
import json
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


class Photographs(Dataset):
    def __init__(self, files, filter):
        self.files = files
        self.transform = transforms.Compose([
            transforms.Resize((224, 224), transforms.InterpolationMode(filter)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB"))


def main():
    path, workers, filter, rounds = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    with open(path) as file:
        files = file.read().split("\n")
    loader = DataLoader(Photographs(files, filter), batch_size=32, num_workers=workers, persistent_workers=workers > 0)
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        seen = sum(len(batch) for batch in loader)
        best = max(best, seen / (time.perf_counter() - start))
    versions = f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}, torch {torch.__version__}"
    print(json.dumps({"rate": best, "versions": versions}))


if __name__ == "__main__":
    main()
