"""Ten AdamW steps in PyTorch, with transformers' linear warmup and clipping by the global norm, of a ViT–GPT-2 and a BERT classifier.

Run: python scripts/reference/adamw.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/training/adamw.json.
"""
import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, ViTConfig, get_linear_schedule_with_warmup, logging
from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

from formula import values
from hub import filled, sample

FILE = Path(__file__).parents[2] / "test/fixtures/training/adamw.json"
FILE.parent.mkdir(exist_ok=True)
logging.set_verbosity_error()
logging.disable_progress_bar()
STEPS, WARMUP = 10, 3

VIT = dict(image_size=12, patch_size=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40)
GPT2 = dict(vocab_size=37, n_positions=21, n_embd=30, n_layer=2, n_head=5, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
BERT = dict(vocab_size=61, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=56, max_position_embeddings=17,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def run(model, named, batches, lr, weight_decay, max_norm, stored):
    """As transformers' examples do: every parameter decays."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms, rates = [], [], []
    for batch in batches:
        loss = model(**batch).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    # Weights that Adam moves by rounding noise alone are left out: a bias of attention's keys has a true gradient of zero.
    after = {name: sample(p, 24) for name, p in named.items() if not name.endswith("key.bias") and "c_attn.bias" not in name}
    return stored | {"learningRate": lr, "weightDecay": weight_decay, "maxGradNorm": max_norm, "warmup": WARMUP, "losses": losses, "norms": norms, "rates": rates, "after": after}


def captioner():
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**VIT), GPT2Config(**GPT2, bos_token_id=1, eos_token_id=2, pad_token_id=0),
                                                                    decoder_start_token_id=1, pad_token_id=0)
    model, named = filled(VisionEncoderDecoderModel(config))
    torch.manual_seed(1)
    labels = torch.randint(3, 37, (STEPS, 3, 7))
    labels[:, 0, 4:] = -100
    batches = [{"pixel_values": values(f"pixels-{i}", (3, 3, 12, 12)) * 3, "labels": labels[i]} for i in range(STEPS)]
    return run(model, named, batches, 3e-3, 0.01, 1.0, {"encoder": VIT, "decoder": GPT2, "labels": labels.tolist()})


def classifier():
    model, named = filled(BertForSequenceClassification(BertConfig(**BERT, num_labels=4)))
    torch.manual_seed(2)
    ids, labels = torch.randint(0, 61, (STEPS, 4, 9)), torch.randint(0, 4, (STEPS, 4))
    mask = torch.ones_like(ids)
    mask[:, 1, 5:] = 0
    batches = [{"input_ids": ids[i], "attention_mask": mask[i], "labels": labels[i]} for i in range(STEPS)]
    return run(model, named, batches, 2e-3, 0.1, 0.5, {"config": BERT, "ids": ids.tolist(), "mask": mask.tolist(), "labels": labels.tolist()})


FILE.write_text(json.dumps({"captioner": captioner(), "classifier": classifier()}))
