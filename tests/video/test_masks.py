"""Files of masks: read as they are written, others refused, and the mask that is nearest to a frame."""

import numpy as np
import pytest

from a3d.errors import InputError
from a3d.video.masks import nearest_masks, read_masks, write_masks


def test_masks_are_read_as_written_and_others_refused(tmp_path):
    masks = {"crawl/a.mp4": np.arange(3 * 16 * 16).astype(np.uint8).reshape(3, 16, 16)}
    found = read_masks(write_masks(tmp_path / "masks.npz", masks))
    assert found.keys() == masks.keys() and (found["crawl/a.mp4"] == masks["crawl/a.mp4"]).all()
    assert [path.name for path in tmp_path.iterdir()] == ["masks.npz"]
    np.savez(tmp_path / "wrong.npz", a=np.zeros((3, 16)))
    np.savez(tmp_path / "code.npz", a=np.array([print], object))
    (tmp_path / "text.npz").write_text("no masks")
    for name, message in (("wrong", r"'a' is float64 \(3, 16\)"), ("code", "no masks"), ("text", "no masks")):
        with pytest.raises(InputError, match=message):
            read_masks(tmp_path / f"{name}.npz")


def test_the_nearest_mask_of_a_frame_and_the_last_one_beyond():
    masks = np.arange(3, dtype=np.uint8)[:, None, None]  # of the frames 0, 8 and 16
    found = nearest_masks(masks, np.array([0, 3, 5, 11, 13, 16, 40]))
    assert found.ravel().tolist() == [0, 0, 1, 1, 2, 2, 2]
