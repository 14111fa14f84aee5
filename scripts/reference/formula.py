"""Weights and inputs by formula, so that fixtures of real-size networks need no large files: test/formula.ts computes the same."""
import zlib

import numpy as np
import torch


def uniform(name: str, count: int) -> np.ndarray:
    """`count` values in [0, 1): an integer hash of the position and of the name's CRC-32."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(zlib.crc32(name.encode()))
    x &= np.uint64(0xFFFFFFFF)
    for _ in range(2):
        x ^= x >> np.uint64(16)
        x = (x * np.uint64(0x45D9F3B)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2**32


def values(name: str, shape) -> torch.Tensor:
    """What a parameter of this name holds: kernels of variance 2 / fan-in, scales and variances around 1, the rest near 0."""
    u = uniform(name, int(np.prod(shape)))
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        v = 0.5 + u
    elif len(shape) >= 2:
        v = (u - 0.5) * np.sqrt(24 / np.prod(shape[1:]))
    else:
        v = (u - 0.5) * 0.2
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


def fill(model: torch.nn.Module, rename=lambda name: name) -> None:
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(values(rename(name), tuple(tensor.shape)))
