import pytest
import torch

from a3d.adaptive.resampling import resample
from a3d.video import Sampling, crops, normalise, short_side
from a3d.video.transforms import Box, area_box, crop_boxes, crop_resized, jittered_box


def ramp(height, width, count=2):
    """uint8 (count, height, width, 3): red is the row, green the column, blue the frame."""
    rows, columns = torch.arange(height), torch.arange(width)
    parts = torch.meshgrid(torch.arange(count), rows, columns, indexing="ij")
    return torch.stack([parts[1], parts[2], parts[0]], dim=-1).to(torch.uint8)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "size, shape", [((100, 200), (64, 128)), ((200, 100), (128, 64)), ((128, 170), (64, 85)), ((16, 16), (64, 64))]
)
def test_the_short_side_gets_its_size_and_the_aspect_ratio_stays(size, shape):
    frames = short_side(ramp(*size), 64)
    assert frames.shape == (2, *shape, 3)
    assert frames.dtype == torch.uint8


def test_resizing_is_the_bilinear_antialiased_one_of_the_networks():
    frames = torch.randint(0, 256, (3, 90, 90, 3), generator=generator(), dtype=torch.uint8)
    clip = frames.float().permute(3, 0, 1, 2)[None]  # (1, 3, T, S, S)
    expected = resample(clip, 3, 40, 40)[0].permute(1, 2, 3, 0)
    difference = (short_side(frames, 40).float() - expected).abs()
    assert difference.max() <= 1 and difference.mean() < 0.3  # rounded once a direction


def test_three_crops_are_left_centre_right_or_top_centre_bottom():
    wide, tall = crops(ramp(32, 100), 32, 3), crops(ramp(100, 32), 32, 3)
    assert wide.shape == tall.shape == (3, 2, 32, 32, 3)
    assert wide[:, 0, 0, 0, 1].tolist() == [0, 34, 68]
    assert tall[:, 0, 0, 0, 0].tolist() == [0, 34, 68]
    assert torch.equal(crops(ramp(32, 100), 32, 1)[0], wide[1])


def test_crops_that_do_not_exist_name_the_remedy():
    with pytest.raises(ValueError, match=r"2 crops.*give 1"):
        crops(ramp(32, 32), 32, 2)
    with pytest.raises(ValueError, match="64² does not fit in 32×100: resize"):
        crops(ramp(32, 100), 64)


def test_cutting_a_box_of_the_same_size_takes_the_pixels_as_they_are():
    frames = ramp(60, 80)
    assert torch.equal(crop_resized(frames, Box(10, 20, 32, 32), 32), frames[:, 10:42, 20:52])
    assert crop_resized(frames, Box(0, 0, 60, 30), 16).shape == (2, 16, 16, 3)


def test_jitter_is_a_crop_of_a_resized_short_side():
    boxes = [jittered_box(128, 170, 112, (128, 160), generator(seed)) for seed in range(300)]
    assert {box.height == box.width for box in boxes} == {True}
    sides = [box.height for box in boxes]
    assert (min(sides), max(sides)) == (round(128 * 112 / 160), 112)
    assert min(box.left for box in boxes) == 0 and max(box.left + box.width for box in boxes) == 170
    assert jittered_box(16, 16, 112, (112, 112), generator()) == Box(0, 0, 16, 16)


def test_area_boxes_keep_their_share_and_stay_inside():
    boxes = [area_box(128, 170, (0.3, 1.0), (3 / 4, 4 / 3), generator(seed)) for seed in range(300)]
    shares = [box.height * box.width / (128 * 170) for box in boxes]
    assert 0.29 < min(shares) < 0.35 and 0.9 < max(shares) <= 1
    assert all(box.top >= 0 and box.top + box.height <= 128 and box.left + box.width <= 170 for box in boxes)
    inside = [box.width / box.height for box, share in zip(boxes, shares, strict=True) if share < 0.6]
    assert 0.73 < min(inside) < 0.8 and 1.25 < max(inside) < 1.36
    assert area_box(1, 1, (0.3, 1.0), (3 / 4, 4 / 3), generator()) == Box(0, 0, 1, 1)


def test_boxes_are_cut_and_mirrored_with_the_picture():
    boxes = [(0.25, 0.5, 0.75, 1.0), (0.0, 0.0, 0.2, 1.0)]  # of 100 × 200 pixels: 50 to 150 across, 50 to 100 down
    part = Box(top=40, left=100, height=60, width=100)
    inside, seen = crop_boxes(boxes, part, 100, 200, mirrored=False)
    assert seen == [True, False] and inside.dtype == torch.float32
    assert inside.tolist() == [pytest.approx([0.0, 10 / 60, 0.5, 1.0])]
    mirrored, _ = crop_boxes(boxes, part, 100, 200, mirrored=True)
    assert mirrored.tolist() == [pytest.approx([0.5, 10 / 60, 1.0, 1.0])]
    whole, seen = crop_boxes(boxes, Box(0, 0, 100, 200), 100, 200, mirrored=False)
    assert seen == [True, True] and whole.tolist() == [pytest.approx(box) for box in boxes]


def test_normalised_pixels_have_the_units_of_the_paper():
    sampling = Sampling(2, 1, 4, mean=(0.45, 0.0, 0.5), std=(0.225, 1.0, 0.5))
    frames = torch.zeros(5, 2, 4, 4, 3, dtype=torch.uint8)
    frames[..., 1:] = 255
    clip = normalise(frames, sampling)
    assert clip.shape == (5, 3, 2, 4, 4) and clip.dtype == torch.float32
    assert clip.is_contiguous(memory_format=torch.channels_last_3d)
    assert clip[0, :, 1, 2, 3].tolist() == pytest.approx([-2, 1, 1])
    noise = torch.randint(0, 256, (2, 4, 4, 3), generator=generator(), dtype=torch.uint8)
    assert normalise(noise, sampling)[2, 1, 0, 3].item() == pytest.approx(noise[1, 0, 3, 2].item() / 127.5 - 1)
