"""PyTorch's side of bench/attention-gru.ts: for every line "N" read, N training steps; prints their milliseconds as JSON."""
import json
import sys
import time

import torch
from torch import nn

size = json.loads(sys.argv[1])
EMBED, HIDDEN = 256, 512


class Decoder(nn.Module):
    """The attention's product over [feature; hidden] is split as in the TypeScript, so that both do the same work."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(size["vocabSize"], EMBED, padding_idx=0)
        self.on_features = nn.Linear(size["featureSize"], HIDDEN)
        self.on_hidden = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.v = nn.Linear(HIDDEN, 1, bias=False)
        self.gru = nn.GRUCell(EMBED + size["featureSize"], HIDDEN)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(HIDDEN, size["vocabSize"])

    def forward(self, features, ids):
        projected = self.on_features(features)
        words = self.embedding(ids)
        hidden = torch.zeros(len(ids), HIDDEN)
        states = []
        for t in range(ids.shape[1]):
            scores = self.v(torch.tanh(projected + self.on_hidden(hidden).unsqueeze(1)))
            context = torch.bmm(torch.softmax(scores, dim=1).transpose(1, 2), features).squeeze(1)
            hidden = self.gru(torch.cat((words[:, t], context), dim=1), hidden)
            states.append(hidden)
        return self.fc(self.dropout(torch.stack(states, dim=1)))


model = Decoder().train()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss(ignore_index=0)
features = torch.rand(size["batch"], size["positions"], size["featureSize"])
ids, labels = (torch.randint(1, size["vocabSize"], (size["batch"], size["words"])) for _ in range(2))


def step():
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = criterion(model(features, ids).flatten(0, 1), labels.flatten())
    loss.backward()
    optimizer.step()
    loss.item()
    return 1000 * (time.perf_counter() - start)


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
for line in sys.stdin:
    print(json.dumps([step() for _ in range(int(line))]), flush=True)
