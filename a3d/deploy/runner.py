"""What happens in a video, by the network beside this script; no A3D, and for an .onnx file no PyTorch.

pip install onnxruntime numpy av
python run.py clip.mp4
"""

import itertools
import json
import sys
from pathlib import Path

import av
import numpy as np


def main(paths):
    if not paths:
        sys.exit("error: no video given; python run.py clip.mp4")
    classify, about = load(next(Path(__file__).parent.glob("network.*")))
    for path in paths:
        try:
            clip = read(path, **about["sampling"])
        except (av.FFmpegError, IndexError, ValueError) as error:
            sys.exit(f"error: {path}: no video that FFmpeg can read ({error}); check the path, give a whole file")
        logits = classify(clip[None])[0]
        probabilities = softmax(logits) if about["task"] == "classification" else 1 / (1 + np.exp(-logits))
        for place in probabilities.argsort()[::-1][:5]:
            print(f"{path}\t{about['labels'][place]}\t{probabilities[place]:.4f}")


def softmax(logits):
    odds = np.exp(logits - logits.max())
    return odds / odds.sum()


def load(file):
    """The network, uint8 (B, frames, size, size, 3) to logits (B, classes); and what the file says about it."""
    if file.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file)
        about = session.get_modelmeta().custom_metadata_map["a3d"]
        return lambda clips: session.run(None, {"frames": clips})[0], json.loads(about)
    import torch

    extra = {"a3d.json": ""}
    program = torch.export.load(file, extra_files=extra).module()
    return lambda clips: program(torch.from_numpy(clips)).numpy(), json.loads(extra["a3d.json"])


def read(path, frames, stride, seen, size):
    """Of `frames` × `stride` in the middle of a video the frames `seen`: uint8 (seen, size, size, 3)."""
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size and not packet.is_discard]
        base, declared = file.streams.video[0].time_base, float(file.streams.video[0].average_rate or 25)
    times = np.arange(len(packets)) / declared
    if all(packet.pts is not None for packet in packets):
        stamps = np.array(sorted({packet.pts for packet in packets}))
        times = (stamps - stamps[0]) * base.numerator / base.denominator
    rate = (len(times) - 1) / times[-1] if len(times) > 1 else declared
    start = max(0.0, times[-1] + 1 / rate - frames * stride / rate) / 2
    moments = start + np.array(seen) * (stride / rate) + 0.5 / rate
    numbers = (np.searchsorted(times, moments, side="right") - 1).clip(0, len(times) - 1)
    with av.open(str(path)) as file:
        decoded = itertools.islice(file.decode(video=0), int(numbers[-1]) + 1)
        shown = {i: square(frame, size) for i, frame in enumerate(decoded) if i in numbers}
    return np.stack([shown[min(i, max(shown))] for i in numbers])


def square(frame, size):
    """The middle of a picture, upright, its short side shrunk to `size`: uint8 (size, size, 3)."""
    picture = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
    scale = size / min(picture.shape[:2])
    down, across = (middle(n, max(size, round(n * scale)), size) for n in picture.shape[:2])
    rows = np.einsum("jw,hwc->hjc", across, picture, optimize=True).round()
    return np.einsum("ih,hjc->ijc", down, rows, optimize=True).round().astype(np.uint8)


def middle(length, resized, size):
    """(size, length): bilinear with antialias, from `length` to the middle `size` of `resized` pixels."""
    centres = (np.arange(resized)[:, None] + 0.5) * length / resized
    reach = max(1, length / resized)
    weights = np.maximum(0, 1 - abs(np.arange(length) + 0.5 - centres) / reach).astype(np.float32)
    first = (resized - size) // 2
    return (weights / weights.sum(1, keepdims=True))[first : first + size]


if __name__ == "__main__":
    main(sys.argv[1:])
