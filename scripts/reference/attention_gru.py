"""Fixtures of report 003's decoder, made with PyTorch: outputs, gradients and ten Adam steps of a small one.

Run: python scripts/reference/attention_gru.py   (torch 2.15.0, safetensors 0.8)
Writes test/fixtures/captioners/attention-gru-*.safetensors; the tests read them without Python.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parents[2] / "test/fixtures/captioners"
VOCAB, FEATURE, EMBED, HIDDEN, POSITIONS, BATCH, STEPS = 23, 12, 8, 10, 6, 5, 7


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.Linear(FEATURE + HIDDEN, HIDDEN)
        self.v = nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, features, hidden):
        repeated = hidden.unsqueeze(1).expand(-1, features.shape[1], -1)
        scores = self.v(torch.tanh(self.attn(torch.cat((features, repeated), dim=2))))
        weights = torch.softmax(scores, dim=1)
        return (weights * features).sum(dim=1), weights.squeeze(2)


class Decoder(nn.Module):
    def __init__(self, once):
        super().__init__()
        self.once = once
        self.embedding = nn.Embedding(VOCAB, EMBED, padding_idx=0)
        self.attention = Attention()
        self.gru = nn.GRU(EMBED + FEATURE, HIDDEN, batch_first=True)
        self.fc = nn.Linear(HIDDEN, VOCAB)

    def forward(self, features, ids):
        words = self.embedding(ids)
        hidden = torch.zeros(1, len(ids), HIDDEN)
        context, weights = self.attention(features, hidden[0])
        states, attended = [], []
        for t in range(ids.shape[1]):
            if t > 0 and not self.once:
                context, weights = self.attention(features, hidden[0])
            output, hidden = self.gru(torch.cat((words[:, t:t + 1], context.unsqueeze(1)), dim=2), hidden)
            states.append(output)
            attended.append(weights)
        return self.fc(torch.cat(states, dim=1)), torch.stack(attended, dim=1)


for once in (False, True):
    torch.manual_seed(7)
    model = Decoder(once)
    tensors = {f"weights.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    features = torch.randn(BATCH, POSITIONS, FEATURE, requires_grad=True)
    ids = torch.randint(1, VOCAB, (BATCH, STEPS))
    labels = torch.randint(1, VOCAB, (BATCH, STEPS))
    ids[1, 4:], labels[1, 4:], ids[3, 6:], labels[3, 6:] = 0, 0, 0, 0
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    logits, attention = model(features, ids)
    loss = criterion(logits.reshape(-1, VOCAB), labels.reshape(-1))
    loss.backward()
    tensors |= {f"gradients.{k}": p.grad.clone() for k, p in model.named_parameters()}
    tensors |= {"features": features.detach().clone(), "gradients.features": features.grad.clone(), "ids": ids.int(), "labels": labels.int(),
                "logits": logits.detach(), "attention": attention.detach()}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        logits, _ = model(features.detach(), ids)
        step_loss = criterion(logits.reshape(-1, VOCAB), labels.reshape(-1))
        step_loss.backward()
        optimizer.step()
        losses.append(step_loss.item())
    tensors["losses"] = torch.tensor(losses)
    tensors |= {f"after.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, FOLDER / f"attention-gru-{'once' if once else 'every-word'}.safetensors",
              metadata={"config": json.dumps({"vocabSize": VOCAB, "featureSize": FEATURE, "embedSize": EMBED, "hiddenSize": HIDDEN})})
