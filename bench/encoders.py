"""PyTorch's side of bench/encoders.ts: an image encoder's features."""
import json
import sys
from importlib.metadata import version

import torch

from harness.peer import serve, timed, values

TIMM = {"deit3": "deit3_large_patch16_224", "resnet101": "resnet101", "inception": "inception_resnet_v2"}


class Encoder(torch.nn.Module):
    """Pictures (B, C, H, W) → features (B, positions, width), with the weights of a checkpoint folder."""

    def __init__(self, name, folder):
        super().__init__()
        self.of_timm = name in TIMM
        if self.of_timm:
            import timm
            from safetensors.torch import load_file

            self.model = timm.create_model(TIMM[name], pretrained=False)
            self.model.load_state_dict(load_file(f"{folder}/model.safetensors"))
        else:
            from transformers import ViTModel
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()
            self.model = ViTModel.from_pretrained(folder, add_pooling_layer=False)

    def forward(self, pixels):
        if not self.of_timm:
            return self.model(pixels).last_hidden_state
        features = self.model.forward_features(pixels)
        return features.flatten(2).transpose(1, 2) if features.dim() == 4 else features


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    model = Encoder(settings["name"], settings["folder"]).eval()
    pixels = torch.from_numpy(values(**settings["pixels"])).permute(0, 3, 1, 2)
    if settings["name"] in ("resnet101", "inception"):
        model, pixels = model.to(memory_format=torch.channels_last), pixels.contiguous(memory_format=torch.channels_last)
    else:
        pixels = pixels.contiguous()

    def run():
        with torch.inference_mode():
            return model(pixels)

    def features():
        file = f"{settings['folder']}/torch.bin"
        run().contiguous().numpy().tofile(file)
        return file

    def time(steps):
        return timed(run, steps)

    serve(f"PyTorch {torch.__version__}, timm {version('timm')}, transformers {version('transformers')}", torch.get_num_threads(), features, time)
