"""Masks of the people in a folder of clips, by MediaPipe's pose and selfie networks, for `a3d train --masks`.

In an environment of its own, for MediaPipe pins old packages: pip install mediapipe==0.10.21 av
python people_masks.py clips/train people.npz
"""

import sys
from pathlib import Path

import av
import cv2
import mediapipe as mp
import numpy as np

EVERY = 8  # frames from one mask to the next
SHRINK = 4


def masks_of(path: Path, pose, selfie) -> np.ndarray:
    """uint8 (n, h / 4, w / 4): 255 where a person is, of the frames 0, 8, 16, …"""
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for i, f in enumerate(container.decode(video=0)) if i % EVERY == 0]
    masks = []
    for frame in frames:
        size = (frame.shape[1] // SHRINK, frame.shape[0] // SHRINK)
        large = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
        person = selfie.process(large).segmentation_mask
        body = pose.process(large).segmentation_mask  # of one person; None where it finds none
        person = person if body is None else np.maximum(person, body)
        masks.append((cv2.resize(person, size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8) * 255)
    return np.stack(masks)


def main(folder: Path, out: Path) -> None:
    pose = mp.solutions.pose.Pose(static_image_mode=True, enable_segmentation=True, min_detection_confidence=0.3)
    selfie = mp.solutions.selfie_segmentation.SelfieSegmentation()
    paths = sorted(folder.rglob("*.mp4"))
    np.savez_compressed(out, **{f"{path.parent.name}/{path.name}": masks_of(path, pose, selfie) for path in paths})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
