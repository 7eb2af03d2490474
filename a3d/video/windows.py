"""Clips from all over a long video, in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from a3d.video.decode import Video
from a3d.video.sampling import Sampling
from a3d.video.views import decoded_side


def read_windows(video: Video, sampling: Sampling, starts: Sequence[float]) -> Iterator[Tensor]:
    """Yield the clip that begins at each of the ascending `starts`, seconds, as `decode_views` decodes it.

    Each is uint8 (T, H, W, 3). The file is read once, in order, and no more than the frames of clips that overlap are
    held. Raises VideoError.
    """
    clips = [sampling.window(video.times, video.frame_rate, start).tolist() for start in starts]
    wanted = np.unique(clips)
    coming = zip(wanted.tolist(), video.shrunk(wanted, decoded_side(sampling)), strict=True)
    held: dict[int, np.ndarray] = {}
    for clip in clips:
        held = {number: picture for number, picture in held.items() if number >= clip[0]}
        while clip[-1] not in held:
            number, picture = next(coming)
            held[number] = picture
        yield torch.from_numpy(np.stack([held[number] for number in clip]))
