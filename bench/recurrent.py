"""PyTorch's side of bench/recurrent.ts. Parameters have the names that the TypeScript side stores."""
import json
import sys

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from harness.peer import values
from harness.training import serve_training

size = json.loads(sys.argv[1])
features = torch.from_numpy(values(**size["features"]))


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
        self.attention = nn.ModuleDict({"attn": nn.Linear(features + hidden, hidden), "v": nn.Linear(hidden, 1, bias=False)})
        self.gru = nn.GRUCell(size["embedSize"] + features, hidden)
        self.dropout = nn.Dropout(size["dropout"])
        self.fc = nn.Linear(hidden, size["vocabSize"])

    def loss(self, features, ids, labels):
        attn, v, width = self.attention["attn"], self.attention["v"], features.shape[2]
        projected = F.linear(features, attn.weight[:, :width], attn.bias)
        words = self.embedding(ids)
        hidden = torch.zeros(len(ids), attn.out_features)
        states = []
        for t in range(ids.shape[1]):
            scores = v(torch.tanh(projected + F.linear(hidden, attn.weight[:, width:]).unsqueeze(1)))
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
        parts = {"encoder_att": nn.Linear(features, attention), "decoder_att": nn.Linear(hidden, attention), "full_att": nn.Linear(attention, 1)}
        self.attention = nn.ModuleDict(parts)
        self.init_h, self.init_c = nn.Linear(features, hidden), nn.Linear(features, hidden)
        self.f_beta = nn.Linear(hidden, features)
        self.decode_step = nn.LSTMCell(size["embedSize"] + features, hidden)
        self.dropout = nn.Dropout(size["dropout"])
        self.fc = nn.Linear(hidden, size["vocabSize"])

    def loss(self, features, ids, labels):
        mean = features.mean(1)
        hidden, cell = self.init_h(mean), self.init_c(mean)
        projected, words = self.attention["encoder_att"](features), self.embedding(ids)
        states, maps = [], []
        for t in range(ids.shape[1]):
            energy = torch.relu(projected + self.attention["decoder_att"](hidden).unsqueeze(1))
            weights = torch.softmax(self.attention["full_att"](energy), dim=1)
            context = torch.bmm(weights.transpose(1, 2), features).squeeze(1)
            gated = torch.sigmoid(self.f_beta(hidden)) * context
            hidden, cell = self.decode_step(torch.cat((words[:, t], gated), dim=1), (hidden, cell))
            states.append(hidden)
            maps.append(weights.squeeze(2))
        logits = self.fc(self.dropout(torch.stack(states, dim=1)))
        penalty = ((1 - torch.stack(maps, dim=1).sum(1)) ** 2).mean()
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten()) + penalty


KINDS = {"lstm": Lstm, "attention-gru": AttentionGru, "attention-lstm": AttentionLstm}


def read(inputs, labels):
    return torch.tensor(inputs), torch.tensor(labels)


model = KINDS[size["kind"]](size)
weights = load_file(size["weights"])
model.load_state_dict({name.replace("_l0", "") if size["kind"] == "attention-gru" else name: value for name, value in weights.items()})
serve_training("", model, lambda model, batch: model.loss(features, *batch), read, size)
