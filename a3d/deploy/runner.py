"""What happens in a video, by the network beside this script; no A3D, and for an .onnx or .xml file no PyTorch.

pip install onnxruntime numpy av    (openvino in place of onnxruntime, for an .xml file)
python run.py clip.mp4
"""

import json
import sys
from pathlib import Path

import numpy as np

from a3d.video.clip_window import clip_starts, window
from a3d.video.container import VideoError
from a3d.video.reader import Reader


def main(paths):
    if not paths:
        sys.exit("error: no video given; python run.py clip.mp4")
    classify, about = load(next(path for path in Path(__file__).parent.glob("network.*") if path.suffix != ".bin"))
    for path in paths:
        try:
            clip = read(path, **about["sampling"])
        except VideoError as error:
            sys.exit(f"error: {error}")
        logits = classify(clip[None])[0]
        odds = logits / about.get("temperature", 1)  # 1 where several classes can be right
        probabilities = softmax(odds) if about["task"] == "classification" else 1 / (1 + np.exp(-odds))
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
    if file.suffix == ".xml":
        import openvino

        network = openvino.Core().read_model(file)
        run = openvino.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return lambda clips: run(clips)[0], json.loads(network.get_rt_info("a3d").astype(str))
    import torch

    extra = {"a3d.json": ""}
    program = torch.export.load(file, extra_files=extra).module()
    return lambda clips: program(torch.from_numpy(clips)).numpy(), json.loads(extra["a3d.json"])


def read(path, frames, stride, seen, size, rate=None, side=512):
    """Read of `frames` × `stride` in the middle of a video the frames `seen`: uint8 (seen, size, size, 3).

    rate: frames a second that `stride` belongs to, by default the video's own. side: to what the short side of
    larger pictures is brought first.
    """
    video = Reader(path)
    start = clip_starts(video.duration, frames * stride / (rate or video.frame_rate), 1)[0]
    numbers = window(video.times, video.frame_rate, frames, stride, start, rate)[seen]
    wanted = np.unique(numbers)
    shown = dict(zip(wanted, (square(shrunk(picture, side), size) for picture in video.pictures(wanted)), strict=True))
    return np.stack([shown[number] for number in numbers])


def shrunk(picture, side):
    """Shrink a picture, uint8 (H, W, 3), to a short side of at most `side`."""
    scale = side / min(picture.shape[:2])
    if scale >= 1:
        return picture
    return resized(picture, *(weights(n, max(side, round(n * scale))) for n in picture.shape[:2]))


def square(picture, size):
    """Return the middle of a picture, its short side brought to `size`: uint8 (size, size, 3)."""
    scale = size / min(picture.shape[:2])
    rows, columns = (weights(n, max(size, round(n * scale))) for n in picture.shape[:2])
    down, across = ((len(each) - size) // 2 for each in (rows, columns))
    return resized(picture, rows[down : down + size], columns[across : across + size])


def resized(picture, rows, columns):
    """Resize uint8 (H, W, 3) by the weights of its lines (h, H) and columns (w, W): uint8 (h, w, 3)."""
    wide = np.einsum("jw,hwc->hjc", columns, picture, optimize=True).round()
    return np.einsum("ih,hjc->ijc", rows, wide, optimize=True).round().astype(np.uint8)


def weights(length, count):
    """(count, length): bilinear with antialias, from `length` pixels to `count`."""
    centres = (np.arange(count)[:, None] + 0.5) * length / count
    reach = max(1, length / count)
    found = np.maximum(0, 1 - abs(np.arange(length) + 0.5 - centres) / reach).astype(np.float32)
    return found / found.sum(1, keepdims=True)


if __name__ == "__main__":
    main(sys.argv[1:])
