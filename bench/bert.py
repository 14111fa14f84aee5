"""PyTorch's side of bench/bert.ts: transformers' BertForSequenceClassification."""
import json
import sys

import torch
import transformers
from transformers import BertForSequenceClassification

from harness.training import serve_training

settings = json.loads(sys.argv[1])
transformers.utils.logging.disable_progress_bar()
model = BertForSequenceClassification.from_pretrained(settings["folder"])


def read(inputs, mask, labels):
    return {"input_ids": torch.tensor(inputs), "attention_mask": torch.tensor(mask), "labels": torch.tensor(labels)}


versions = f", transformers {transformers.__version__} ({model.config._attn_implementation} attention)"
serve_training(versions, model, lambda model, batch: model(**batch).loss, read, settings)
