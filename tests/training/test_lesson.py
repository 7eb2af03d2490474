"""The image teacher: frozen, used in training only, and the network learns what it says."""

import pytest
import torch
import torch.nn.functional as F

from a3d.configuration import Configuration, range_0016
from a3d.networks import slow_r18, slowfast_r18
from a3d.training.lesson import Lesson
from a3d.training.mutual import mutual_step
from a3d.training.teacher import ImageTeacher

pytestmark = pytest.mark.filterwarnings("ignore")  # of the teacher's package


@pytest.fixture(scope="module")
def teacher():
    return ImageTeacher()


def test_features_are_those_of_the_whole_network_in_float32(teacher):
    pixels = torch.rand(1, 2, 64, 64, 3) * 255
    middle, last = teacher(pixels)
    assert middle.shape == (1, 120, 2, 4, 4) and last.shape == (1, 1280, 2, 2, 2)
    exact = ImageTeacher().body.float().extract_features((pixels[0].permute(0, 3, 1, 2) - 127) / 128)
    likeness = torch.cosine_similarity(last[0].transpose(0, 1).flatten(1), exact.flatten(1))
    assert likeness.min() > 0.98


def test_it_may_look_at_squares_of_another_size(teacher):
    pixels = torch.rand(1, 2, 64, 64, 3) * 255
    enlarged = F.interpolate(pixels[0].permute(0, 3, 1, 2), (96, 96), mode="bilinear").permute(0, 2, 3, 1)[None]
    middle, last = ImageTeacher(96)(pixels)
    assert middle.shape == (1, 120, 2, 6, 6) and last.shape == (1, 1280, 2, 3, 3)
    likeness = torch.cosine_similarity(last.flatten(2), teacher(enlarged)[1].flatten(2))
    assert likeness.min() > 0.99


def test_stays_frozen(teacher):
    teacher.train()
    assert not any(module.training for module in teacher.modules())
    assert not any(p.requires_grad for p in teacher.parameters())


@pytest.mark.parametrize(("build", "seen"), [(slow_r18, [0, 2, 4, 6]), (slowfast_r18, [0, 16])])
def test_the_teacher_looks_at_every_second_frame_of_the_maps(build, seen, monkeypatch):
    network = build(3, base_channels=8, spatial=64)
    lesson, looked = Lesson(network, 1.0), []
    monkeypatch.setattr(ImageTeacher, "forward", lambda self, pixels: looked.append(pixels[0, :, 0, 0, 0].tolist()))
    frames = network.clip_shape(network.full)[0]
    lesson.on(torch.arange(float(frames)).view(1, frames, 1, 1, 1).expand(1, frames, 64, 64, 3))
    assert looked == [seen]


@pytest.mark.parametrize("build", [slow_r18, slowfast_r18])
def test_the_lesson_is_learnt(build):
    network = build(3, base_channels=8, spatial=64, dropout=0.0).train()
    lesson = Lesson(network, 1.0)
    frames = network.clip_shape(Configuration(64, 4, 1.0))[0]
    pixels = torch.rand(2, frames, 64, 64, 3) * 255
    clips, targets = (pixels / 255).permute(0, 4, 1, 2, 3), torch.eye(3)[:2]
    lesson_here = lesson.on(pixels)
    parameters = [*network.parameters(), *lesson.projections.parameters()]
    optimiser = torch.optim.Adam(parameters, 0.01)
    full = range_0016(64, network.architecture.frames).full
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        mutual_step(network, clips, targets, [full], lesson_here)
        optimiser.step()
        losses.append(lesson.last)
    assert losses[-1] < 0.8 * losses[0]
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert not {id(p) for p in lesson.teacher.parameters()} & {id(p) for p in network.parameters()}
