"""The torchvision side of bench/images.ts: DataLoader workers that open with Pillow, resize, and normalise.

    python bench/images.py FILES.txt WORKERS FILTER
"""
import resource
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from harness.peer import serve


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


def processor_time():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main():
    path, workers, filter = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(path) as file:
        files = file.read().split("\n")
    # One thread a worker is DataLoader's own setting; the parent only receives.
    loader = DataLoader(Photographs(files, filter), batch_size=32, num_workers=workers)

    def load():
        start, used = time.perf_counter(), processor_time()
        seen = sum(len(batch) for batch in loader)
        assert seen == len(files)
        # Workers count once they have ended, which they have when the loop has.
        return [{"wall": time.perf_counter() - start, "processor": processor_time() - used}]

    serve(f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}, PyTorch {torch.__version__}", workers, load)


if __name__ == "__main__":
    main()
