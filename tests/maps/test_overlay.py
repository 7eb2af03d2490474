"""Colours on a fixed scale; a video that browsers play."""

import av
import numpy as np
import pytest

from a3d.maps.overlay import blend, overlays, write_overlay


def test_frames_are_bare_where_there_is_no_evidence():
    frames = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(blend(frames, np.zeros((2, 8, 8)), 1.0), frames)
    np.testing.assert_array_equal(blend(frames, np.zeros((2, 8, 8)), 0.0), frames)


def test_what_speaks_for_the_class_is_warm_and_what_speaks_against_it_blue():
    grey = np.full((1, 1, 2, 3), 128, np.uint8)
    against, speaks_for = blend(grey, np.array([[[-0.6, 0.6]]]), 1.0)[0, 0].astype(int)
    assert speaks_for[0] > speaks_for[2] + 30 and against[2] > against[0] + 30


def test_colour_depends_on_the_scale_and_not_on_the_picture():
    frames = np.full((1, 1, 4, 3), 100, np.uint8)
    alone, beside = np.array([[[1.0, 0, 0, 0]]]), np.array([[[1.0, 2.0, 4.0, 9.0]]])
    assert (blend(frames, alone, 4.0)[0, 0, 0] == blend(frames, beside, 4.0)[0, 0, 0]).all()
    assert (blend(frames, beside, 4.0)[0, 0, 2] == blend(frames, beside, 4.0)[0, 0, 3]).all()
    assert (blend(frames, alone, 1.0)[0, 0, 0] != blend(frames, alone, 4.0)[0, 0, 0]).any()


def test_frames_that_were_not_seen_are_dim_and_grey(comparison):
    pictures = overlays(comparison.sub, comparison.scale, 20)
    assert pictures.shape == (4, 20, 20, 3) and pictures.dtype == np.uint8
    assert (pictures[[1, 3]] == round(128 * 0.35)).all()
    assert (pictures[0] == pictures[2]).all() and pictures[0].std(-1).min() > 0


def test_overlay_video_is_one_that_browsers_play(comparison, tmp_path):
    path = write_overlay(comparison, tmp_path / "maps.mp4", size=63)
    with av.open(path) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (64 + 8 + 64, 64)
        assert float(stream.average_rate) == pytest.approx(2.0)
    assert len(frames) == 4
    shown = overlays(comparison.sub, comparison.scale, 64)
    assert np.abs(frames[0][:, 72:].astype(int) - shown[0]).mean() < 8  # the right half is the sub-network's
    assert list(tmp_path.iterdir()) == [path]


def test_a_clip_that_stands_still_can_be_written(comparison, tmp_path):
    comparison.full.all_times[:] = 0
    with av.open(write_overlay(comparison, tmp_path / "still.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4
