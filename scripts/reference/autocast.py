"""Logits, gradients and ten AdamW steps of a small Llama in PyTorch under autocast to bfloat16.

Run: python scripts/reference/autocast.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/training/autocast.json.
"""
import json
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/training/autocast.json"
STEPS, LEARNING_RATE = 10, 0.02
# Adam's first steps go by the gradients' signs, which rounding decides where they are small; not so with an epsilon of their size.
EPSILON = 0.01
# Between its products autocast rounds nothing that the next product would not round: there are no biases, scores are divided by 4, and
# ReLU's values are among its inputs'. Where one rounds is then no matter of taste.
CONFIG = dict(vocab_size=61, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=32,
              hidden_act="relu", pad_token_id=0)

model, named = filled(LlamaForCausalLM(LlamaConfig(**CONFIG, bos_token_id=1, eos_token_id=2)))
torch.manual_seed(3)
batches = torch.randint(1, CONFIG["vocab_size"], (STEPS, 4, 12))


def forward(ids):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return model(input_ids=ids, labels=ids)


out = forward(batches[0])
stored = {"config": CONFIG, "ids": batches.tolist(), "learningRate": LEARNING_RATE, "epsilon": EPSILON,
          "logits": sample(out.logits.float(), 200), "gradients": gradients(out.loss, named)}
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, eps=EPSILON)
losses = []
for ids in batches:
    loss = forward(ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
FILE.write_text(json.dumps(stored | {"losses": losses}) + "\n")
