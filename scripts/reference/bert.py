"""Fixtures of BERT from transformers, weights by formula.

Run: python scripts/reference/bert.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/bert.json.
"""
import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel

from hub import filled, gradients, sample

FILE = Path(__file__).parents[2] / "test/fixtures/models/bert.json"
SMALL = dict(vocab_size=61, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=56, max_position_embeddings=17)
OTHER = dict(vocab_size=43, hidden_size=30, num_hidden_layers=2, num_attention_heads=3, intermediate_size=41, max_position_embeddings=9, type_vocab_size=3,
             hidden_act="gelu_new", layer_norm_eps=1e-6, pad_token_id=2)
torch.manual_seed(5)


def case(cls, config, batch, length, labels=None, classes=None, padded=False, types=False, **options):
    model, named = filled(cls(BertConfig(**config, **({"num_labels": classes} if classes else {})), **options), **options)
    ids = torch.randint(0, config.get("vocab_size", 30522), (batch, length))
    inputs = {"input_ids": ids}
    if padded:
        inputs["attention_mask"] = torch.ones_like(ids)
        inputs["attention_mask"][0, -3:] = 0
        ids[0, -3:] = config.get("pad_token_id", 0)
    if types:
        inputs["token_type_ids"] = torch.randint(0, config.get("type_vocab_size", 2), (batch, length))
    if labels is not None:
        inputs["labels"] = labels
    elif cls is BertForMaskedLM:
        inputs["labels"] = torch.where(torch.rand(ids.shape) < 0.4, torch.randint(0, config["vocab_size"], ids.shape), -100)
    out = model(**inputs, output_hidden_states=True, output_attentions=True)
    result = {
        "model": cls.__name__, "config": config, "classes": classes, "names": list(named) if config else None, "inputs": {k: v.tolist() for k, v in inputs.items()},
        "hiddenStates": [sample(h) for h in out.hidden_states], "attentions": [sample(a) for a in out.attentions],
    }
    if cls is BertModel:
        result["lastHiddenState"] = sample(out.last_hidden_state)
        if out.pooler_output is not None:
            result["poolerOutput"] = out.pooler_output.flatten().tolist()
    else:
        result |= {"logits": sample(out.logits, 200)}
    if "labels" in inputs:
        result |= {"loss": out.loss.item(), "gradients": gradients(out.loss, named, lambda name: name.endswith("key.bias"))}
    return result


FILE.write_text(json.dumps([
    case(BertForSequenceClassification, SMALL, 2, 11, torch.tensor([2, 0]), 3, padded=True, types=True),
    case(BertForSequenceClassification, OTHER, 2, 7, torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0]]), 4, types=True),
    case(BertForMaskedLM, SMALL, 2, 9, padded=True),
    case(BertModel, SMALL, 1, 17),
    case(BertModel, OTHER, 2, 6, padded=True, add_pooling_layer=False),
    case(BertForSequenceClassification, {}, 1, 12, None, 9, padded=True, types=True),
]))
