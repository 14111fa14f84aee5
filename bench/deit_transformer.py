"""PyTorch's side of bench/deit-transformer.ts: torch.nn.TransformerDecoder between embeddings and an output layer."""
import json
import sys

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from harness.peer import values
from harness.training import serve_training

settings = json.loads(sys.argv[1])


class Captioner(nn.Module):
    def __init__(self, size):
        super().__init__()
        width = size["hiddenSize"]
        self.embedding = nn.Embedding(size["vocabSize"], width)
        self.position_embedding = nn.Embedding(size["maxPositions"], width)
        layer = nn.TransformerDecoderLayer(width, size["numHeads"], size["feedForwardSize"], size["dropout"], size["activation"], batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, size["numLayers"])
        self.head = nn.Linear(width, size["vocabSize"])
        self.dropout = nn.Dropout(size["dropout"])

    def forward(self, features, inputs):
        length = inputs.shape[1]
        words = self.dropout(self.embedding(inputs) + self.position_embedding(torch.arange(length)))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.decoder(words, features, tgt_mask=mask, tgt_is_causal=True))


def read(features, inputs, labels):
    return torch.from_numpy(values(**features)), torch.tensor(inputs), torch.tensor(labels)


def loss(model, batch):
    features, inputs, labels = batch
    return F.cross_entropy(model(features, inputs).flatten(0, 1), labels.flatten())


model = Captioner(settings)
model.load_state_dict(load_file(f"{settings['folder']}/model.safetensors"))
serve_training("", model, loss, read, settings)
