"""What the fixtures of convolutional networks share: outputs by name, and gradients on a picture that keeps away from the kinks of ReLU."""
import copy

import torch

from formula import values
from hub import gradients, sample


def distance_from_kinks(model: torch.nn.Module, pixels: torch.Tensor) -> float:
    """How near any input of a ReLU comes to 0 (or of a ReLU6 to 6): a rounding error that crosses one changes gradients by per cents."""
    nearest = []

    def look(module, inputs):
        x = inputs[0]
        nearest.append(x.abs().min().item())
        if isinstance(module, torch.nn.ReLU6):
            nearest.append((x - 6).abs().min().item())

    hooks = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, (torch.nn.ReLU, torch.nn.ReLU6))]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return min(nearest)


def farthest_from_kinks(model: torch.nn.Module, shape, candidates: int) -> str:
    """Name of the formula's picture that keeps farthest away. Batch norms in training mode do not remember the attempts."""
    model = copy.deepcopy(model)
    distances = {name: distance_from_kinks(model, values(name, shape)) for name in (f"pixels{i}" for i in range(candidates))}
    best = max(distances, key=distances.get)
    print(f"{best} keeps {distances[best]:.1e} from the kinks")
    return best


def outputs(hidden_states, last_hidden_state, logits, count: int = 64) -> dict:
    return {
        "hiddenStates": [{"shape": list(h.shape), "values": sample(h, count)} for h in hidden_states],
        "lastHiddenState": {"shape": list(last_hidden_state.shape), "values": sample(last_hidden_state, count)}, "logits": logits.flatten().tolist(),
    }


def training(model: torch.nn.Module, shape, labels, candidates: int, mode: bool, logits=lambda out: out, rename=lambda name: name, count: int = 12) -> dict:
    """Loss, gradients of every parameter, and in training mode the batch norms' statistics afterwards; in float64, so that no rounding is the reference's."""
    model = copy.deepcopy(model).train(mode)
    name = farthest_from_kinks(model, shape, candidates)
    model = model.double()
    answer = logits(model(values(name, shape).double()))
    loss = torch.nn.functional.cross_entropy(answer, torch.tensor(labels))
    result = {"pixels": name, "shape": list(shape), "labels": labels, "loss": loss.item(), "logits": answer.flatten().tolist(),
              "gradients": gradients(loss, {rename(n): p for n, p in model.named_parameters()}, count=count)}
    if mode:
        result["buffers"] = {rename(n): sample(b, count) for n, b in model.named_buffers() if "running" in n}
    return result
