"""Pixel fixtures for test/images, made by Pillow, torchvision, transformers and timm.

Run from the project's folder with Pillow 11 (Pillow 13 changed the order of the passes):
    pip install "Pillow==11.3.0" numpy torch torchvision transformers timm
    python scripts/reference/images.py
Made with Pillow 11.3.0, torchvision 0.29.2, transformers 5.23.0, timm 1.0.31.
"""
import hashlib
import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageOps

OUT = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "images"
FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


def noise(width, height, seed):
    """Hard edges over noise: overshoot of the bicubic filter is clipped in both directions."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2] = [255, 0, 128]
    pixels[height // 3 : height // 2 + 1, ::3] = 0
    return Image.fromarray(pixels)


def drawing(width, height):
    """Smooth shades and shapes, as a photograph has."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.ellipse([width * 0.1, height * 0.2, width * 0.6, height * 0.7], fill=(250, 240, 10), outline=(0, 0, 0))
    draw.rectangle([width * 0.55, height * 0.5, width * 0.95, height * 0.9], fill=(20, 30, 200))
    return image


def digest(image):
    return hashlib.sha256(np.asarray(image.convert("RGB")).tobytes()).hexdigest()


def resize_cases():
    """Every filter on every pair of sizes; a digest each, and the pixels of a few to see where a difference lies."""
    cases = []
    sources = {"noise-37x23.png": noise(37, 23, 1), "noise-16x45.png": noise(16, 45, 2), "drawing-90x60.png": drawing(90, 60)}
    for name, image in sources.items():
        image.save(OUT / name)
        w, h = image.size
        for size in [(w, h), (w * 2, h), (w, h * 3), (w // 2, h // 2), (17, 31), (224, 224), (5, 3), (1, 1), (w, 7), (9, h), (100, 8)]:
            for number, filter in enumerate(FILTERS):
                result = image.resize(size, number)
                case = {"source": name, "size": list(size), "filter": filter, "sha256": digest(result)}
                if size == (17, 31):
                    case["expected"] = f"{Path(name).stem}-17x31-{filter}.png"
                    result.save(OUT / case["expected"])
                cases.append(case)
    return cases


def large_cases():
    """Pictures too large to commit, made of a formula both sides know: value = (7x + 13y + 29c + xy) mod 256."""
    cases = []
    for (w, h), size in [((1500, 1200), (701, 903)), ((40, 30), (2000, 1700)), ((3000, 700), (5, 4)), ((640, 480), (224, 224)), ((480, 640), (480, 33))]:
        y, x, c = np.mgrid[0:h, 0:w, 0:3]
        image = Image.fromarray(((7 * x + 13 * y + 29 * c + x * y) % 256).astype(np.uint8))
        for number in [1, 2, 3]:
            result = image.resize(size, number)
            cases.append({"from": [w, h], "size": list(size), "filter": FILTERS[number], "sha256": digest(result)})
    return cases


def torchvision_cases():
    """Resize(shorter side) and CenterCrop of torchvision on PIL images, odd margins and crops larger than the picture included."""
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    cases = []
    for name in ["noise-37x23.png", "noise-16x45.png", "drawing-90x60.png"]:
        image = Image.open(OUT / name)
        for edge, crop in [(32, 24), (33, 24), (20, 19), (21, 28), (256, 224), (15, 15)]:
            for mode in ["bilinear", "bicubic"]:
                transform = Compose([Resize(edge, InterpolationMode(mode)), CenterCrop(crop)])
                cases.append({"source": name, "edge": edge, "crop": crop, "filter": mode, "sha256": digest(transform(image))})
        for crop in [(22, 36), (20, 14), (50, 50), (45, 10), (12, 50)]:
            cases.append({"source": name, "cropOnly": list(crop), "sha256": digest(CenterCrop(crop)(image))})
    return cases


def transformers_cases():
    """Whole processors, PIL backend, on files saved by transformers: a few values and the sums by channel."""
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.mobilenet_v2.image_processing_pil_mobilenet_v2 import MobileNetV2ImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    cases = []
    processors = {
        "vit": ViTImageProcessorPil(size={"height": 32, "width": 32}),
        "clip": CLIPImageProcessorPil(size={"shortest_edge": 33}, crop_size={"height": 28, "width": 28}),
        "blip": BlipImageProcessorPil(size={"height": 40, "width": 24}),
        "mobilenet_v2": MobileNetV2ImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 31, "width": 31}),
        "no-resize": ViTImageProcessorPil(do_resize=False),
        "framed": CLIPImageProcessorPil(size={"shortest_edge": 20}, crop_size={"height": 27, "width": 27}),
    }
    for name, processor in processors.items():
        folder = OUT / "processors" / name
        folder.mkdir(parents=True, exist_ok=True)
        file = json.loads(processor.to_json_string())
        file.pop("processor_class", None)
        (folder / "preprocessor_config.json").write_text(json.dumps(file, indent=2, sort_keys=True) + "\n")
        for source in ["noise-37x23.png", "noise-16x45.png"]:
            out = processor(Image.open(OUT / source), return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
            flat = out.reshape(-1)
            at = np.linspace(0, flat.size - 1, 40).astype(int)
            cases.append({
                "processor": name, "source": source, "shape": list(out.shape),
                "at": at.tolist(), "values": [float(v) for v in flat[at]],
                "sums": [float(v) for v in out.astype(np.float64).sum((0, 1))],
            })
    return cases


def timm_cases():
    """timm's evaluation transform of a pretrained_cfg."""
    from timm.data import create_transform

    cases = []
    for name, cfg in {
        "crop": {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center"},
        "whole": {"input_size": [3, 40, 40], "interpolation": "bilinear", "crop_pct": 1.0, "crop_mode": "center"},
        "squash": {"input_size": [3, 24, 40], "interpolation": "bicubic", "crop_pct": 0.8, "crop_mode": "squash"},
    }.items():
        cfg |= {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
        folder = OUT / "processors" / f"timm-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": cfg}, indent=2) + "\n")
        transform = create_transform(
            tuple(cfg["input_size"]), interpolation=cfg["interpolation"], crop_pct=cfg["crop_pct"], crop_mode=cfg["crop_mode"],
            mean=cfg["mean"], std=cfg["std"],
        )
        for source in ["noise-37x23.png", "noise-16x45.png"]:
            out = transform(Image.open(OUT / source)).numpy().transpose(1, 2, 0)
            flat = out.reshape(-1)
            at = np.linspace(0, flat.size - 1, 40).astype(int)
            cases.append({
                "processor": f"timm-{name}", "source": source, "shape": list(out.shape),
                "at": at.tolist(), "values": [float(v) for v in flat[at]],
                "sums": [float(v) for v in out.astype(np.float64).sum((0, 1))],
            })
    return cases


def png(width, height, depth, colour, rows, chunks=b""):
    """A PNG by hand, for the kinds Pillow does not write. `rows`: bytes of the pixels, row after row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    stride = len(rows) // height
    raw = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) + chunks
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def decode_cases():
    """Files of every kind, and what Pillow's convert('RGB') makes of them."""
    cases = []
    picture = drawing(41, 29)
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, 41).astype(np.uint8), (29, 1)))
    rgba = picture.copy()
    rgba.putalpha(alpha)
    grey = picture.convert("L")

    def add(name, exact=True, expected=None, **more):
        want = expected if expected is not None else Image.open(OUT / name).convert("RGB")
        target = f"{name}.rgb.png"
        want.save(OUT / target)
        cases.append({"file": name, "expected": target, "exact": exact, **more})

    picture.save(OUT / "rgb.jpg", quality=90)
    add("rgb.jpg", exact=False)
    picture.save(OUT / "progressive.jpg", quality=80, progressive=True)
    add("progressive.jpg", exact=False)
    grey.save(OUT / "grey.jpg")
    add("grey.jpg", exact=False)
    picture.convert("CMYK").save(OUT / "cmyk.jpg", quality=95, subsampling=0)
    add("cmyk.jpg", exact=False)
    rgba.save(OUT / "rgba.png")
    add("rgba.png")
    la = grey.copy()
    la.putalpha(alpha)
    la.save(OUT / "grey-alpha.png")
    add("grey-alpha.png")
    grey.save(OUT / "grey.png")
    add("grey.png")
    palette = picture.quantize(16)
    palette.save(OUT / "palette.png")
    add("palette.png")
    palette.save(OUT / "palette-transparent.png", transparency=3)
    add("palette-transparent.png")
    picture.convert("1").save(OUT / "bilevel.png")
    add("bilevel.png")
    wide = np.asarray(picture).astype(np.uint32) * 257 - np.asarray(picture) // 3
    (OUT / "rgb16.png").write_bytes(png(41, 29, 16, 2, wide.astype(">u2").tobytes()))
    add("rgb16.png", expected=Image.fromarray((wide >> 8).astype(np.uint8)))
    wide = np.asarray(grey).astype(np.uint32) * 257 - np.asarray(grey) // 3
    (OUT / "grey16.png").write_bytes(png(41, 29, 16, 0, wide.astype(">u2").tobytes()))
    add("grey16.png", expected=Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB"))
    rgba.save(OUT / "lossless.webp", lossless=True, exact=True)
    add("lossless.webp")
    picture.save(OUT / "lossy.webp", quality=80)
    add("lossy.webp", exact=False)
    picture.save(OUT / "animated.webp", lossless=True, save_all=True, append_images=[picture.rotate(180)], duration=100)
    add("animated.webp")
    palette.save(OUT / "animated.gif", save_all=True, append_images=[palette.rotate(180)], duration=100)
    add("animated.gif")
    picture.save(OUT / "plain.tiff")
    add("plain.tiff")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        name = f"orientation-{orientation}.png"
        picture.resize((13, 7)).save(OUT / name, exif=exif)
        add(name, expected=ImageOps.exif_transpose(Image.open(OUT / name)).convert("RGB"))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(OUT / "orientation-6.jpg", exif=exif, quality=90)
    add("orientation-6.jpg", exact=False, expected=ImageOps.exif_transpose(Image.open(OUT / "orientation-6.jpg")).convert("RGB"))
    add_raw = Image.open(OUT / "orientation-6.png").convert("RGB")
    add_raw.save(OUT / "orientation-6.unrotated.png")
    cases.append({"file": "orientation-6.png", "expected": "orientation-6.unrotated.png", "exact": True, "exifRotation": False})
    return cases


def main():
    if int(PIL.__version__.split(".")[0]) > 11:
        sys.exit(f"Pillow {PIL.__version__} resizes some pictures vertically first; the fixtures follow Pillow 11. Install Pillow 11.3.0.")
    OUT.mkdir(parents=True, exist_ok=True)
    made = {
        "resize": resize_cases(),
        "large": large_cases(),
        "torchvision": torchvision_cases(),
        "transformers": transformers_cases(),
        "timm": timm_cases(),
        "decode": decode_cases(),
    }
    buffer = io.StringIO()
    buffer.write("{\n")
    for section, (name, cases) in enumerate(made.items()):
        rows = ",\n".join("  " + json.dumps(case) for case in cases)
        buffer.write(f'"{name}": [\n{rows}\n]{"," if section < len(made) - 1 else ""}\n')
    buffer.write("}\n")
    (OUT / "cases.json").write_text(buffer.getvalue())


if __name__ == "__main__":
    main()
