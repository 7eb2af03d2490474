"""GIFs that loop, whole or not at all."""

import av
import numpy as np
import pytest
from PIL import Image

from a3d.errors import InputError
from a3d.video.gif import write_gif


def waves(count, height=48, width=64):
    """Frames of smooth colours that move."""
    y, x = np.mgrid[:height, :width]
    frames = [np.stack([2 * x + 15 * n, 3 * y + 5 * n, 90 + 0 * x], -1) for n in range(count)]
    return np.stack(frames).astype(np.uint8)


@pytest.mark.parametrize(("rate", "hundredths"), [(10.0, [10] * 6), (8.0, [12, 13, 13, 12, 12, 12]), (200.0, [2] * 6)])
def test_frames_times_and_loop(tmp_path, rate, hundredths):
    path = write_gif(tmp_path / "waves.gif", waves(6), rate)
    with Image.open(path) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (6, (64, 48), 0)
        found = []
        for number in range(6):
            image.seek(number)
            found.append(image.info["duration"] // 10)
    assert found[:5] == hundredths[:5]
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_are_those_that_were_given(tmp_path):
    frames = waves(6)
    with av.open(write_gif(tmp_path / "waves.gif", frames, 10.0)) as container:
        again = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert again.shape == frames.shape
    assert np.abs(again.astype(int) - frames).mean() < 4
    assert np.abs(again.astype(int) - frames[::-1]).mean() > 12


def test_one_frame_is_a_gif(tmp_path):
    with Image.open(write_gif(tmp_path / "still.gif", waves(1), 1.0)) as image:
        assert image.n_frames == 1


def test_no_frames_are_refused(tmp_path):
    with pytest.raises(InputError, match="no frames"):
        write_gif(tmp_path / "none.gif", [], 10.0)
    assert not list(tmp_path.iterdir())
