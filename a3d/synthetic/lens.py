"""From a clean picture to one that a cheap camera might have taken: exposure, colour cast, vignette, blur, noise."""

from __future__ import annotations

import cv2
import numpy as np

SLACK = 32  # pixels by which the stored noise is larger than a picture, so that each frame shows another part of it


class Lens:
    """Has the faults of one clip's camera for pictures of size (width, height)."""

    def __init__(self, size: tuple[int, int], frames: int, rng: np.random.Generator, noisy: bool) -> None:
        self.size = size
        width, height = size
        x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
        vignette = 1 - rng.uniform(0, 0.28) * (x**2 + y**2) / 2
        cast = np.array([1 + rng.normal(0, 0.035), 1.0, 1 + rng.normal(0, 0.05)])
        self.gain = (rng.uniform(0.84, 1.15) * vignette[..., None] * cast).astype(np.float32)
        self.contrast, self.fog = np.float32(rng.uniform(0.9, 1.15)), np.float32(rng.uniform(0.0, 0.06))
        self.blur = float(rng.choice([0.0, 0.35, 0.6])) * (height / 128) ** 0.5
        strength = 255 * rng.uniform(0.002, 0.016) if noisy else 0.0
        self.offsets = rng.integers(0, SLACK, (frames, 2))
        grain = rng.standard_normal((height + SLACK, width + SLACK, 3), dtype=np.float32)
        self.noise = np.float32(strength) * (grain + grain.mean(-1, keepdims=True))

    def develop(self, picture: np.ndarray, index: int) -> np.ndarray:
        """Bring uint8 (h, w, 3) of any size to the film's frame number `index`, uint8 (height, width, 3)."""
        small = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        if self.blur > 0.1:
            small = cv2.GaussianBlur(small, (0, 0), self.blur)
        exposed = (small * self.gain - 128) * self.contrast + 128 + 255 * self.fog
        down, right = self.offsets[index]
        exposed += self.noise[down : down + self.size[1], right : right + self.size[0]]
        return np.clip(exposed, 0, 255).astype(np.uint8)
