"""Fixtures of the decoders of reports 001 A, 002 and 004, made with PyTorch: outputs, gradients and ten AdamW steps of small ones.

Run: python scripts/reference/caption_decoders.py   (torch 2.15.0, safetensors 0.8)
Writes lstm, attention-lstm-* and transformer.safetensors in test/fixtures/captioners.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parents[2] / "test/fixtures/captioners"
VOCAB, FEATURE, EMBED, HIDDEN, ATTENTION, POSITIONS, BATCH, STEPS = 23, 12, 8, 10, 7, 6, 5, 7


class SoftAttention(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.encoder_att = nn.Linear(FEATURE, ATTENTION)
        self.decoder_att = nn.Linear(HIDDEN, ATTENTION)
        self.full_att = nn.Linear(ATTENTION, 1)
        self.activation = activation

    def forward(self, features, hidden):
        energy = self.activation(self.encoder_att(features) + self.decoder_att(hidden)[:, None])
        weights = self.full_att(energy)[..., 0].softmax(1)
        return (features * weights[..., None]).sum(1), weights


class ShowAttendTell(nn.Module):
    """Equations of Xu et al. 2015: soft attention (13), gate beta (4.2.1), initial states (3.1.2), doubly stochastic penalty (14)."""

    def __init__(self, activation, penalty):
        super().__init__()
        self.attention = SoftAttention(activation)
        self.embedding = nn.Embedding(VOCAB, EMBED)
        self.decode_step = nn.LSTMCell(EMBED + FEATURE, HIDDEN)
        self.init_h, self.init_c = nn.Linear(FEATURE, HIDDEN), nn.Linear(FEATURE, HIDDEN)
        self.f_beta = nn.Linear(HIDDEN, FEATURE)
        self.fc = nn.Linear(HIDDEN, VOCAB)
        self.penalty = penalty

    def forward(self, features, ids):
        mean = features.mean(1)
        h, c = self.init_h(mean), self.init_c(mean)
        logits, maps = [], []
        for t in range(ids.shape[1]):
            context, weights = self.attention(features, h)
            context = torch.sigmoid(self.f_beta(h)) * context
            h, c = self.decode_step(torch.cat([self.embedding(ids[:, t]), context], 1), (h, c))
            logits.append(self.fc(h))
            maps.append(weights)
        return torch.stack(logits, 1), torch.stack(maps, 1)

    def loss(self, features, ids, labels):
        logits, maps = self(features, ids)
        counted = (labels != -100).float()[..., None]
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten()) + self.penalty * ((1 - (maps * counted).sum(1)) ** 2).mean()


class PictureFirst(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.encoder_fc = nn.Linear(FEATURE, EMBED)
        self.embedding = nn.Embedding(VOCAB, EMBED)
        self.lstm = nn.LSTM(EMBED, HIDDEN, layers, batch_first=True)
        self.fc = nn.Linear(HIDDEN, VOCAB)

    def forward(self, features, ids):
        inputs = torch.cat([self.encoder_fc(features.mean(1))[:, None], self.embedding(ids[:, 1:])], 1)
        return self.fc(self.lstm(inputs)[0]), None

    def loss(self, features, ids, labels):
        return F.cross_entropy(self(features, ids)[0].flatten(0, 1), labels.flatten())


class Transformer(nn.Module):
    def __init__(self, width, heads, inner, layers, positions):
        super().__init__()
        self.encoder_proj = nn.Linear(FEATURE, width)
        self.embedding = nn.Embedding(VOCAB, width)
        self.position_embedding = nn.Embedding(positions, width)
        layer = nn.TransformerDecoderLayer(width, heads, inner, dropout=0, activation="gelu", batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers)
        self.head = nn.Linear(width, VOCAB)

    def forward(self, features, ids):
        length = ids.shape[1]
        words = self.embedding(ids) + self.position_embedding.weight[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.decoder(words, self.encoder_proj(features), tgt_mask=mask)), None

    def loss(self, features, ids, labels):
        return F.cross_entropy(self(features, ids)[0].flatten(0, 1), labels.flatten())


def fixture(name, model, config):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    tensors = {f"weights.{key}": value.detach().clone() for key, value in model.named_parameters()}
    features = torch.randn(BATCH, POSITIONS, FEATURE, requires_grad=True)
    ids, labels = torch.randint(3, VOCAB, (BATCH, STEPS)), torch.randint(2, VOCAB, (BATCH, STEPS))
    ids[:, 0] = 1
    ids[1, 4:], ids[3, 6:], labels[1, 4:], labels[3, 6:] = 0, 0, -100, -100
    logits, maps = model(features, ids)
    loss = model.loss(features, ids, labels)
    loss.backward()
    tensors |= {"features": features.detach().clone(), "gradients.features": features.grad.clone(), "ids": ids.int(), "labels": labels.int(), "logits": logits.detach(),
                "loss": loss.detach()[None]}
    if maps is not None:
        tensors["attention"] = maps.detach()
    tensors |= {f"gradients.{key}": value.grad.clone() for key, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.01)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        step_loss = model.loss(features.detach(), ids, labels)
        step_loss.backward()
        optimizer.step()
        losses.append(step_loss.item())
    tensors["losses"] = torch.tensor(losses)
    save_file({key: value.contiguous() for key, value in tensors.items()}, FOLDER / f"{name}.safetensors", metadata={"config": json.dumps(config)})


torch.manual_seed(5)
common = {"vocabSize": VOCAB, "featureSize": FEATURE, "embedSize": EMBED, "hiddenSize": HIDDEN}
fixture("attention-lstm-tanh", ShowAttendTell(torch.tanh, 0.7), {**common, "attentionSize": ATTENTION, "attentionActivation": "tanh", "attentionPenalty": 0.7, "dropout": 0})
fixture("attention-lstm-relu", ShowAttendTell(torch.relu, 1), {**common, "attentionSize": ATTENTION, "attentionActivation": "relu", "attentionPenalty": 1, "dropout": 0})
fixture("lstm", PictureFirst(3), {**common, "numLayers": 3, "dropout": 0})
transformer = Transformer(15, 3, 20, 2, 9)
fixture("transformer", transformer, {"vocabSize": VOCAB, "featureSize": FEATURE, "hiddenSize": 15, "numHeads": 3, "feedForwardSize": 20, "numLayers": 2, "maxPositions": 9, "activation": "gelu", "dropout": 0})
