"""Evidence against masks: where a map that is known lies to masks that are known."""

import numpy as np
import pytest

from a3d.datasets import ClipFolder
from a3d.maps import masks as masking
from a3d.maps.masks import MaskResult, evidence_on_masks
from a3d.testing.errors import EvaluationError
from a3d.video.encode import write_video
from tests.evidence import made


@pytest.fixture
def clips(tmp_path):
    """One clip of 24 frames at 10 a second."""
    frames = np.random.default_rng(0).integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
    write_video(tmp_path / "crawl" / "a.mp4", frames, 10)
    return ClipFolder(tmp_path)


@pytest.fixture
def looked(monkeypatch):
    """evidence_on_masks sees these maps (t, h, w) at frames 0, 8 and 16, whatever the network."""

    def looked(maps):
        from a3d.configuration import Configuration

        explanation = made(
            Configuration(16, len(maps), 1.0), range(len(maps)), maps, np.array([0.0, 0.8, 1.6])[: len(maps)]
        )
        monkeypatch.setattr(masking, "read_clip", lambda path, network: None)
        monkeypatch.setattr(masking, "explain", lambda clip, network, configuration, label, method: explanation)
        return explanation.configuration

    return looked


def half(first=3):
    """Masks of frames 0, 8 and 16 whose left half is a person in the first ones, and nothing in the rest."""
    masks = np.zeros((3, 16, 16), np.uint8)
    masks[:first, :, :8] = 255
    return masks


def test_evidence_on_the_person_is_twice_what_chance_gives(clips, looked):
    maps = np.zeros((3, 4, 4), np.float32)
    maps[:, :, 0] = 1.0
    found = evidence_on_masks(None, clips, {"crawl/a.mp4": half()}, looked(maps))
    assert (found.frames, found.clips, found.cells) == (3, 1, (4, 4))
    assert found.inside == pytest.approx(100) and found.area == pytest.approx(50) and found.hottest == 100
    assert found.ratio == pytest.approx(2.0)


def test_even_evidence_is_chance_and_negative_evidence_counts_for_nothing(clips, looked):
    maps = np.ones((3, 4, 4), np.float32)
    assert evidence_on_masks(None, clips, {"crawl/a.mp4": half()}, looked(maps)).ratio == pytest.approx(1.0)
    maps[:, :, :2] = -5.0
    found = evidence_on_masks(None, clips, {"crawl/a.mp4": half()}, looked(maps))
    assert found.ratio < 0.1 and found.hottest == 0


def test_frames_without_a_usable_mask_are_left_out(clips, looked):
    configuration = looked(np.ones((3, 4, 4), np.float32))
    assert evidence_on_masks(None, clips, {"crawl/a.mp4": half(1)}, configuration).frames == 1
    with pytest.raises(EvaluationError, match="none of the 1 clips has a mask"):
        evidence_on_masks(None, clips, {"crawl/other.mp4": half()}, configuration)


def test_ratio_is_share_inside_over_share_of_the_picture():
    assert MaskResult(None, 30.0, 20.0, 50.0, 10, 2, (7, 7)).ratio == pytest.approx(1.5)
