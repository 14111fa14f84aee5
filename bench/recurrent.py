"""PyTorch's side of bench/recurrent.ts: for every line "decoder N" read, N training steps; prints [wall, processor] of each, in ms, as JSON."""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

sizes = json.loads(sys.argv[1])


class Lstm(nn.Module):
    """Report 001 A: the picture is the first input."""

    def __init__(self, size):
        super().__init__()
        self.encoder_fc = nn.Linear(size["featureSize"], size["embedSize"])
        self.embedding = nn.Embedding(size["vocabSize"], size["embedSize"])
        self.lstm = nn.LSTM(size["embedSize"], size["hiddenSize"], size["numLayers"], batch_first=True)
        self.fc = nn.Linear(size["hiddenSize"], size["vocabSize"])

    def loss(self, features, ids, labels):
        picture = self.encoder_fc(features.mean(1)).unsqueeze(1)
        states, _ = self.lstm(torch.cat((picture, self.embedding(ids[:, 1:])), 1))
        return F.cross_entropy(self.fc(states).flatten(0, 1), labels.flatten())


class AttentionGru(nn.Module):
    """Report 003. The attention's product over [feature; hidden] is split as in the TypeScript, so that both do the same work."""

    def __init__(self, size):
        super().__init__()
        hidden, features = size["hiddenSize"], size["featureSize"]
        self.embedding = nn.Embedding(size["vocabSize"], size["embedSize"], padding_idx=0)
        self.on_features = nn.Linear(features, hidden)
        self.on_hidden = nn.Linear(hidden, hidden, bias=False)
        self.v = nn.Linear(hidden, 1, bias=False)
        self.gru = nn.GRUCell(size["embedSize"] + features, hidden)
        self.dropout = nn.Dropout(size["dropout"])
        self.fc = nn.Linear(hidden, size["vocabSize"])

    def loss(self, features, ids, labels):
        projected = self.on_features(features)
        words = self.embedding(ids)
        hidden = torch.zeros(len(ids), self.on_hidden.in_features)
        states = []
        for t in range(ids.shape[1]):
            scores = self.v(torch.tanh(projected + self.on_hidden(hidden).unsqueeze(1)))
            context = torch.bmm(torch.softmax(scores, dim=1).transpose(1, 2), features).squeeze(1)
            hidden = self.gru(torch.cat((words[:, t], context), dim=1), hidden)
            states.append(hidden)
        logits = self.fc(self.dropout(torch.stack(states, dim=1)))
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


class AttentionLstm(nn.Module):
    """Report 002: Show, Attend and Tell. The features' part of the attention is computed once a picture, not once a word."""

    def __init__(self, size):
        super().__init__()
        hidden, features, attention = size["hiddenSize"], size["featureSize"], size["attentionSize"]
        self.embedding = nn.Embedding(size["vocabSize"], size["embedSize"])
        self.encoder_att, self.decoder_att = nn.Linear(features, attention), nn.Linear(hidden, attention)
        self.full_att = nn.Linear(attention, 1)
        self.init_h, self.init_c = nn.Linear(features, hidden), nn.Linear(features, hidden)
        self.f_beta = nn.Linear(hidden, features)
        self.decode_step = nn.LSTMCell(size["embedSize"] + features, hidden)
        self.dropout = nn.Dropout(size["dropout"])
        self.fc = nn.Linear(hidden, size["vocabSize"])

    def loss(self, features, ids, labels):
        mean = features.mean(1)
        hidden, cell = self.init_h(mean), self.init_c(mean)
        projected, words = self.encoder_att(features), self.embedding(ids)
        states, maps = [], []
        for t in range(ids.shape[1]):
            energy = torch.relu(projected + self.decoder_att(hidden).unsqueeze(1))
            weights = torch.softmax(self.full_att(energy), dim=1)
            context = torch.bmm(weights.transpose(1, 2), features).squeeze(1)
            gated = torch.sigmoid(self.f_beta(hidden)) * context
            hidden, cell = self.decode_step(torch.cat((words[:, t], gated), dim=1), (hidden, cell))
            states.append(hidden)
            maps.append(weights.squeeze(2))
        logits = self.fc(self.dropout(torch.stack(states, dim=1)))
        penalty = ((1 - torch.stack(maps, dim=1).sum(1)) ** 2).mean()
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten()) + penalty


KINDS = {"lstm": Lstm, "attention-gru": AttentionGru, "attention-lstm": AttentionLstm}


def prepare(name):
    size = sizes[name]
    model = KINDS[size["kind"]](size).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=size["weightDecay"])
    features = torch.rand(size["batch"], size["positions"], size["featureSize"])
    ids, labels = (torch.randint(1, size["vocabSize"], (size["batch"], size["words"])) for _ in range(2))

    def step():
        start, used = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        loss = model.loss(features, ids, labels)
        loss.backward()
        optimizer.step()
        loss.item()
        return [1000 * (time.perf_counter() - start), 1000 * (time.process_time() - used)]

    return step


steps = {}
print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
for line in sys.stdin:
    name, count = line.split()
    if name not in steps:
        steps = {name: prepare(name)}
    print(json.dumps([steps[name]() for _ in range(int(count))]), flush=True)
