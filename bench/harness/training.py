"""PyTorch's training steps for harness/training.ts."""
import contextlib

import torch

from harness.peer import peak, reset_peak, serve, timed


def serve_training(versions, model, loss, read, settings):
    """
    Answers "evaluate" and "train" by AdamW's steps. `read` makes a batch of what the TypeScript side wrote, `loss` a loss of the model and
    a batch. Settings: learningRate, weightDecay, and where wanted maxGradNorm and precision.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["learningRate"], weight_decay=settings["weightDecay"])
    half = settings.get("precision") == "bfloat16"

    def step(batch, losses):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
            value = loss(model, batch)
        value.backward()
        if "maxGradNorm" in settings:
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["maxGradNorm"])
        optimizer.step()
        losses.append(value.item())

    def train(batches):
        losses, times = [], []
        tensors = [read(**batch) for batch in batches]
        reset_peak()
        model.train()
        for batch in tensors:
            times += timed(lambda: step(batch, losses))
        return {"losses": losses, "times": times, "peak": peak()}

    def evaluate(batch):
        model.eval()
        with torch.no_grad():
            return loss(model, read(**batch)).item()

    serve(f"PyTorch {torch.__version__}{versions}", torch.get_num_threads(), train, evaluate)
