"""Fixtures of ViT–GPT-2 (VisionEncoderDecoderModel) from transformers, and both halves of the checkpoint's way there and back.

Run: python scripts/reference/vision_encoder_decoder.py   (torch 2.15.0, transformers 5.23)
Writes test/fixtures/models/vision-encoder-decoder.json and the checkpoint folder test/fixtures/models/vit-gpt2.

     python scripts/reference/vision_encoder_decoder.py captions FOLDER
Prints the ids that transformers' model in FOLDER gives the pictures of this file, as JSON: scripts/reference/round-trip.ts compares.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig, logging

from formula import fill, values
from hub import filled, gradients, sample

FIXTURES = Path(__file__).parents[2] / "test/fixtures/models"
logging.set_verbosity_error()
logging.disable_progress_bar()

CASES = [
    # Different widths: a layer between. Odd sizes, a wide patch, three channels.
    (dict(image_size=12, patch_size=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40),
     dict(vocab_size=37, n_positions=21, n_embd=30, n_layer=2, n_head=5, n_inner=44, scale_attn_by_inverse_layer_idx=True), 3),
    # Equal widths; grey pictures, no bias in the encoder's attention.
    (dict(image_size=15, patch_size=5, num_channels=1, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=50, qkv_bias=False, hidden_act="gelu_new"),
     dict(vocab_size=29, n_positions=17, n_embd=32, n_layer=3, n_head=4, activation_function="gelu", layer_norm_epsilon=1e-6), 2),
]
# Published sizes: ViT-Ti/16 (google/vit-… at 192 wide) and DistilGPT-2, 224 pixels, the whole vocabulary.
REAL = (dict(image_size=224, hidden_size=192, num_attention_heads=3, intermediate_size=768), dict(n_layer=6), 1)
SAVED = (dict(image_size=16, patch_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32),
         dict(vocab_size=41, n_positions=20, n_embd=24, n_layer=2, n_head=3))
START, EOS, PAD = 1, 7, 2
GENERATION = [
    {}, {"num_beams": 3}, {"num_beams": 5, "length_penalty": 2.0, "num_return_sequences": 5}, {"num_beams": 10, "early_stopping": True}, {"num_beams": 3, "no_repeat_ngram_size": 2},
    {"repetition_penalty": 1.3}, {"num_beams": 4, "repetition_penalty": 1.3, "min_length": 6, "suppress_tokens": [3]}, {"num_beams": 3, "forced_bos_token_id": 9, "forced_eos_token_id": EOS},
    {"pad_token_id": 0, "num_beams": 3}, {"decoder_input_ids": [[5, 8], [4, 4], [8, 5]]}, {"num_beams": 3, "decoder_input_ids": [[START, 8], [START, 4], [START, 5]]},
]


def built(encoder, decoder):
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**encoder), GPT2Config(**decoder, bos_token_id=START, eos_token_id=EOS, pad_token_id=PAD), decoder_start_token_id=START, pad_token_id=PAD, eos_token_id=EOS)
    model = VisionEncoderDecoderModel(config)
    model.generation_config.update(decoder_start_token_id=START, bos_token_id=START, eos_token_id=EOS, pad_token_id=PAD)
    return model


def pictures(encoder, batch):
    return values("pixels", (batch, encoder.get("num_channels", 3), encoder["image_size"], encoder["image_size"])) * 3


def generated(model, pixels, option, batch):
    arguments = {"max_new_tokens": 10, "num_beams": 1, "do_sample": False} | option
    stored = dict(arguments)
    if "decoder_input_ids" in arguments:
        stored["decoder_input_ids"] = arguments["decoder_input_ids"][:batch]
        arguments["decoder_input_ids"] = torch.tensor(stored["decoder_input_ids"])
    out = model.generate(pixels, return_dict_in_generate=True, output_scores=True, **arguments)
    return {"options": stored, "sequences": out.sequences.tolist(), "scores": out.sequences_scores.tolist() if arguments["num_beams"] > 1 else None}


def case(encoder, decoder, batch, real=False):
    model, named = filled(built(encoder, decoder))
    pixels = pictures(encoder, batch)
    torch.manual_seed(11)
    labels = torch.randint(3, decoder.get("vocab_size", 50257), (batch, 8))
    labels[0, 5:] = -100
    labels[-1, 3:] = -100
    out = model(pixel_values=pixels, labels=labels, output_hidden_states=True, output_attentions=True)
    # The pooler has no part in the loss; attention's key biases have a true gradient of zero.
    grads = {} if real else gradients(out.loss, named, lambda name: "pooler" in name or name.endswith("key.bias"))
    with torch.no_grad():
        model.decoder.transformer.ln_f.weight.mul_(2)
    return {
        "encoder": encoder, "decoder": decoder, "batch": batch, "names": None if real else list(named), "labels": labels.tolist(), "loss": out.loss.item(), "logits": sample(out.logits, 200),
        "encoderLastHiddenState": sample(out.encoder_last_hidden_state), "encoderHiddenStates": [sample(t) for t in out.encoder_hidden_states],
        "encoderAttentions": [sample(t) for t in out.encoder_attentions], "decoderHiddenStates": [sample(t) for t in out.decoder_hidden_states],
        "decoderAttentions": [sample(t) for t in out.decoder_attentions], "crossAttentions": [sample(t) for t in out.cross_attentions], "gradients": grads,
        "generated": [generated(model, pixels, option, batch) for option in ([{"max_new_tokens": 5}, {"num_beams": 3, "max_new_tokens": 5}] if real else GENERATION)],
    }


def captions(folder):
    model = VisionEncoderDecoderModel.from_pretrained(folder).eval()
    pixels = pictures(model.config.encoder.to_dict(), 3)
    return [model.generate(pixels, max_new_tokens=12, num_beams=beams, do_sample=False).tolist() for beams in (1, 4)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["captions"]:
        print(json.dumps(captions(sys.argv[2])))
    else:
        (FIXTURES / "vision-encoder-decoder.json").write_text(json.dumps([case(*one) for one in CASES] + [case(*REAL, real=True)]))
        model = built(*SAVED)
        fill(model)
        with torch.no_grad():
            model.decoder.transformer.ln_f.weight.mul_(2)
        folder = FIXTURES / "vit-gpt2"
        shutil.rmtree(folder, ignore_errors=True)
        model.save_pretrained(folder)
        (folder / "expected.json").write_text(json.dumps(captions(folder)))
