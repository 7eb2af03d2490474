"""Official weights: the same logits as the code they come from, every tensor used, none invented."""

import json
import pickle

import numpy as np
import pytest
import torch

from a3d.cli import main
from a3d.configuration import Configuration
from a3d.inference.checkpoint import load
from a3d.maps.maps import explain
from a3d.networks import by_name
from a3d.video.encode import write_video
from a3d.weights import ConversionError, caffe2, convert, pyslowfast, pytorchvideo, read_labels
from tests import official
from tests.clips import moving_square

SMALL = {"stem_dim_out": 8, "model_num_class": 5}
SMALL_FAST = {"stem_dim_outs": (8, 1), "model_num_class": 5}
FORMATS = ("pytorchvideo", "pyslowfast", "caffe2")


def small(family):
    return official.slow(**SMALL) if family == "slow" else official.slowfast(**SMALL_FAST)


def write(network, folder, layout, fast, depth=50, cfg="", name="weights"):
    """The weights of a PyTorchVideo network as a file of a format; beside them what such files hold for training."""
    folder.mkdir(exist_ok=True)
    slowfast_names, caffe2_names = official.named(network, depth, fast)
    path = folder / f"{name}.pkl" if layout == "caffe2" else folder / f"{name}.pyth"
    if layout == "caffe2":
        trained = {"conv1_w_momentum": caffe2_names["conv1_w"], "lr": np.float32(0.1), "model_iter": np.array([7])}
        path.write_bytes(pickle.dumps({"blobs": caffe2_names | trained}, 2))
    elif layout == "pyslowfast":
        torch.save({"epoch": 5, "model_state": slowfast_names, "optimizer_state": {"state": {}}, "cfg": cfg}, path)
    else:
        torch.save({"model_state": network.state_dict()}, path)
    return path


def answers(network, clip, alpha=None):
    with torch.no_grad():
        return network(clip if alpha is None else official.packed(clip, alpha))


@pytest.fixture(scope="module", params=["slow", "slowfast"])
def answered(request):
    """An official network, small, a clip, and its answer."""
    torch.manual_seed(0)
    network, fast = small(request.param), request.param == "slowfast"
    clip = official.clips(32 if fast else 8)
    return network, fast, clip, answers(network, clip, 4 if fast else None)


@pytest.mark.parametrize("layout", FORMATS)
def test_same_logits(answered, layout, tmp_path):
    network, fast, clip, expected = answered
    converted = convert(write(network, tmp_path, layout, fast))
    with torch.no_grad():
        found = converted(clip, converted.range.full)
        folded = converted.extract(converted.range.full)(clip)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(folded, expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-2  # the answers depend on the clip


def test_slow_frames_are_the_official_ones(tmp_path):
    network = small("slowfast")
    converted = convert(write(network, tmp_path, "pyslowfast", True))
    assert converted.entry_frames(32) == [0, 4, 8, 13, 17, 22, 26, 31]
    for frames, alpha in ((32, 8), (64, 4), (64, 8), (16, 4)):
        expected = torch.linspace(0, frames - 1, frames // alpha).long().tolist()
        options = converted.architecture.options | {"alpha": alpha, "base_channels": 8, "temporal_blocks": ()}
        small_one = by_name("slowfast_r18", 5, frames=frames // alpha, **options)
        assert small_one.entry_frames(frames) == expected
    clip = official.clips(32, 1)
    with torch.no_grad():
        every = network([clip[:, :, ::4], clip])
        assert (converted(clip, converted.range.full) - every).abs().max() > 1e-3  # they matter


@pytest.mark.slow
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("family", ["slow", "slowfast"])
def test_same_logits_at_full_size(family, layout, tmp_path):
    """R-50 with 64 channels and 400 classes, 224² × 8 (Fast 32)."""
    fast = family == "slowfast"
    network = official.slowfast() if fast else official.slow()
    converted = convert(write(network, tmp_path, layout, fast))
    clip = official.clips(32 if fast else 8)
    expected = answers(network, clip, 4 if fast else None)
    with torch.no_grad():
        found = converted(clip, converted.range.full)
        folded = converted.extract(converted.range.full)(clip)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(folded, expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-1


@pytest.mark.parametrize("family", ["slow", "slowfast"])
def test_same_probabilities_for_boxes(family, tmp_path):
    fast = family == "slowfast"
    network = official.slowfast_detection(**SMALL_FAST) if fast else official.slow_detection(**SMALL)
    path = tmp_path / "hub.pyth"
    torch.save({"model_state": network.state_dict()}, path)
    converted = convert(path, frames=8 if fast else 4)
    assert converted.task == "detection" and not converted.architecture.options["aligned"]
    clip = official.clips(32 if fast else 4)
    boxes = torch.tensor([[0, 0.1, 0.2, 0.6, 0.9], [1, 0.0, 0.0, 1.0, 1.0], [1, 0.5, 0.25, 0.8, 0.7]])
    pixels = boxes * torch.tensor([1, 224, 224, 224, 224])
    with torch.no_grad():
        expected = network(official.packed(clip, 4) if fast else clip, pixels)
        found = converted(clip, converted.range.full, boxes).sigmoid()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert (expected[1] - expected[2]).abs().max() > 1e-2


@pytest.mark.parametrize("layout", ["pyslowfast", "caffe2"])
def test_detection_is_told_by_an_option(layout, tmp_path):
    network = official.slow_detection(**SMALL)
    path = tmp_path / "ava"
    slowfast_names, caffe2_names = official.named(network, 50, False)
    if layout == "caffe2":
        path.write_bytes(pickle.dumps({"blobs": caffe2_names}, 2))
    else:
        torch.save({"model_state": slowfast_names}, path)
    converted = convert(path, frames=4, stride=16, task="detection", aligned=False)
    clip, box = torch.randn(1, 3, 4, 224, 224), torch.tensor([[0, 0.2, 0.1, 0.9, 0.8]])
    with torch.no_grad():
        expected = network(clip, box * torch.tensor([1, 224, 224, 224, 224]))
        torch.testing.assert_close(converted(clip, converted.range.full, box).sigmoid(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("depth", [50, 101])
def test_every_tensor_is_used_and_none_invented(depth, fast, tmp_path):
    """Names alone, of the published sizes: each format onto all of our network, one to one."""
    build = official.create_slowfast if fast else official.create_resnet
    stem = {} if fast else {"stem_conv_kernel_size": (1, 7, 7)}
    network = build(model_depth=depth, **stem, **({"stem_dim_outs": (8, 1)} if fast else {"stem_dim_out": 8}))
    names, blobs = official.named(network, depth, fast)
    ours = []
    for layout, keys in ((pytorchvideo, network.state_dict()), (pyslowfast, names), (caffe2, blobs)):
        used = [key for key in keys if not layout.ignored(key)]
        renamed = [layout.rename(key) for key in used]
        assert None not in renamed and len(set(renamed)) == len(renamed)
        assert layout.recognises(set(keys))
        ours.append(set(renamed))
    assert ours[0] == ours[1] == ours[2]
    assert len(ours[0]) == sum(not key.endswith("num_batches_tracked") for key in network.state_dict())
    converted = convert(write(network, tmp_path, "caffe2", fast, depth))
    state = {name for name in converted.state_dict() if not name.endswith("num_batches_tracked")}
    assert len(state) == len(ours[0]) == converted.provenance["converted"]["tensors"]
    norms = {name.rpartition(".")[0] for name in state if name.endswith("running_mean")}
    assert converted.statistics[converted.range.full].keys() == norms
    assert {p.dtype for p in converted.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in converted.parameters())


# What the official files call their tensors, in order; {} runs over the numbers, | over the kinds.
GOLDEN_PYSLOWFAST = [
    "s1.pathway{0,1}_stem.conv.weight",
    "s1.pathway{0,1}_stem.bn.{weight,bias,running_mean,running_var,num_batches_tracked}",
    "s{1,2,3,4}_fuse.conv_f2s.weight",
    "s{1,2,3,4}_fuse.bn.{weight,bias,running_mean,running_var,num_batches_tracked}",
    "s{2,3,4,5}.pathway{0,1}_res0.branch1.weight",
    "s{2,3,4,5}.pathway{0,1}_res0.branch1_bn.{weight,bias,running_mean,running_var,num_batches_tracked}",
    *(
        name
        for stage, blocks in ((2, "0,1,2"), (3, "0,1,2,3"), (4, "0,1,2,3,4,5"), (5, "0,1,2"))
        for name in (
            f"s{stage}.pathway{{0,1}}_res{{{blocks}}}.branch2.{{a,b,c}}.weight",
            f"s{stage}.pathway{{0,1}}_res{{{blocks}}}.branch2.{{a,b,c}}_bn."
            "{weight,bias,running_mean,running_var,num_batches_tracked}",
        )
    ),
    "head.projection.{weight,bias}",
]
GOLDEN_CAFFE2 = [
    "{,t_}conv1_w",
    "{,t_}res_conv1_bn_{s,b,rm,riv}",
    "t_pool1_subsample_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "t_res2_2_branch2c_bn_subsample_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "t_res3_3_branch2c_bn_subsample_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "t_res4_5_branch2c_bn_subsample_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "{,t_}res{2,3,4,5}_0_branch1_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "{,t_}res{2,5}_{0,1,2}_branch2{a,b,c}_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "{,t_}res3_{0,1,2,3}_branch2{a,b,c}_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "{,t_}res4_{0,1,2,3,4,5}_branch2{a,b,c}_{w,bn_s,bn_b,bn_rm,bn_riv}",
    "pred_{w,b}",
]


def expanded(pattern):
    head, brace, rest = pattern.partition("{")
    if not brace:
        return [head]
    choices, _, tail = rest.partition("}")
    return [head + choice + end for choice in choices.split(",") for end in expanded(tail)]


@pytest.mark.parametrize(
    ("layout", "golden", "number"), [(pyslowfast, GOLDEN_PYSLOWFAST, 662), (caffe2, GOLDEN_CAFFE2, 552)]
)
def test_names_of_the_official_slowfast_r50(layout, golden, number, tmp_path):
    names = [name for pattern in golden for name in expanded(pattern)]
    written = official.named(official.create_slowfast(stem_dim_outs=(8, 1)), 50, True)[0 if layout is pyslowfast else 1]
    assert len(names) == len(set(names)) == number and set(names) == set(written)
    assert all(layout.ignored(name) or layout.rename(name) for name in names)


def test_official_variants_are_told_by_their_weights(tmp_path):
    sparse = official.slowfast(frames=4, alpha=8, kernel=5, **SMALL_FAST)
    found = convert(write(sparse, tmp_path, "caffe2", True))
    assert (found.architecture.frames, found.architecture.options["alpha"], found.sampling.stride) == (4, 8, 2)
    clip = torch.randn(1, 3, 32, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(found(clip, found.range.full), answers(sparse, clip, 8), atol=1e-4, rtol=0)


def test_r101_looks_along_time_in_as_many_blocks_as_its_weights_do(tmp_path):
    along, not_along = (3, 1, 1), (1, 1, 1)
    third = (along,) * 6 + (not_along,) * 17
    stages = (((1, 1, 1), (1, 1, 1), third, along), (along, along, (along,) * 23, along))
    network = official.slowfast(depth=101, kernel=5, stage_conv_a_kernel_sizes=stages, **SMALL_FAST)
    found = convert(write(network, tmp_path, "pyslowfast", True, 101))
    assert found.architecture.name == "slowfast_r101"
    assert found.architecture.options["temporal_blocks"] == (6, 23)
    assert (found.architecture.frames, found.architecture.options["alpha"]) == (8, 4)
    clip = torch.randn(1, 3, 32, 64, 64)
    configuration = Configuration(64, 8, 1.0)
    found.statistics[configuration] = found.statistics[found.range.full]
    network.blocks[5].pool = torch.nn.ModuleList([torch.nn.AdaptiveAvgPool3d(1)] * 2)
    with torch.no_grad():
        torch.testing.assert_close(found(clip, configuration), answers(network, clip, 4), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("name", "cfg", "expected"),
    [
        ("SLOWONLY_4x16_R50", "", (4, 16, 224)),
        ("weights", "DATA:\n  NUM_FRAMES: 4\n  SAMPLING_RATE: 16\n  TRAIN_CROP_SIZE: 192\n", (4, 16, 192)),
        ("SLOWONLY_4x16_R50", "DATA:\n  NUM_FRAMES: 8\n  SAMPLING_RATE: 4\nMIXUP:\n  ALPHA: 0.8\n", (8, 4, 224)),
        ("weights", "", (8, 8, 224)),
    ],
)
def test_what_weights_do_not_tell(name, cfg, expected, tmp_path):
    found = convert(write(small("slow"), tmp_path, "pyslowfast", False, cfg=cfg, name=name))
    assert (found.architecture.frames, found.sampling.stride, found.architecture.spatial) == expected


def test_configuration_of_a_slowfast_file_counts_fast_frames(tmp_path):
    cfg = "DATA:\n  NUM_FRAMES: 32\n  SAMPLING_RATE: 2\nDETECTION:\n  ALIGNED: false\nSLOWFAST:\n  ALPHA: 4\n"
    found = convert(write(small("slowfast"), tmp_path, "pyslowfast", True, cfg=cfg))
    assert (found.architecture.frames, found.architecture.options["alpha"]) == (8, 4)
    assert (found.sampling.frames, found.sampling.stride) == (32, 2)


@pytest.mark.parametrize(
    ("cfg", "task", "aligned"),
    [
        ("DETECTION:\n  ALIGNED: false\n  ENABLE: true\n", "detection", False),
        ("DETECTION:\n  ALIGNED: true\n  ENABLE: false\n", "classification", True),
        ("DATA:\n  MULTI_LABEL: true\nDETECTION:\n  ENABLE: false\n", "multilabel", True),
        ("", "classification", True),
    ],
)
def test_task_is_told_by_the_configuration_of_the_file(cfg, task, aligned, tmp_path):
    """As yacs writes it: YAML, two levels."""
    cfg = "BN:\n  FREEZE: false\n" + cfg + "SOLVER:\n  STEPS:\n  - 0\n  - 10\nTASK: ''\n"
    found = convert(write(small("slow"), tmp_path, "pyslowfast", False, cfg=cfg))
    assert (found.task, found.architecture.options.get("aligned", True)) == (task, aligned)


def test_mismatches_are_named(tmp_path):
    def refused(change):
        names, _ = official.named(small("slow"), 50, False)
        change(names)
        torch.save({"model_state": names}, tmp_path / "bad.pyth")
        with pytest.raises(ConversionError) as error:
            convert(tmp_path / "bad.pyth")
        assert "bad.pyth" in str(error.value) and "\n" not in str(error.value)
        return str(error.value)

    assert "s3.pathway0_nonlocal1.conv_g.weight" in refused(
        lambda names: names.update({"s3.pathway0_nonlocal1.conv_g.weight": torch.zeros(1)})
    )
    assert "lacks pathway.stages.1.2.b.norm.bias" in refused(lambda n: n.pop("s3.pathway0_res2.branch2.b_bn.bias"))
    assert "no 'classifier.weight'" in refused(lambda names: names.pop("head.projection.weight"))
    assert "s2.pathway0_res1.branch2.a.weight is (8, 32, 3, 1, 1) in place of (8, 32, 1, 1, 1)" in refused(
        lambda names: names.update({"s2.pathway0_res1.branch2.a.weight": torch.zeros(8, 32, 3, 1, 1)})
    )
    assert "(3, 4, 6, 2)" in refused(lambda n: [n.pop(key) for key in list(n) if key.startswith("s5.pathway0_res2")])


@pytest.mark.parametrize("content", [{"model_state": {"fc.weight": torch.zeros(2, 2)}}, {}, [1, 2]])
def test_other_networks_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "other.pyth")
    with pytest.raises(ConversionError, match="is not Slow or SlowFast"):
        convert(tmp_path / "other.pyth")


def test_files_of_old_torch_are_read(tmp_path):
    names, _ = official.named(small("slow"), 50, False)
    torch.save({"model_state": names}, tmp_path / "old.pyth", _use_new_zipfile_serialization=False)
    assert convert(tmp_path / "old.pyth").architecture.classes == 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.txt", "climb\njump\nrun\n"),
        ("names.json", '["climb", "jump", "run"]'),
        ("names.json", '{"run": 2, "\\"jump\\"": 1, "climb": 0}'),
        ("names.json", '{"0": "climb", "2": "run", "1": "jump"}'),
        ("names.csv", "id,name\n1,jump\n0,climb\n2,run\n"),
        ("names.csv", "name,id\njump,1\nclimb,0\nrun,2\n"),
    ],
)
def test_labels_in_every_form(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    assert read_labels(tmp_path / name, 3) == ("climb", "jump", "run")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("names.txt", "climb\njump\n", "2 classes, the weights have 3"),
        ("names.txt", "climb\njump\nclimb\n", "'climb' twice"),
        ("names.json", "{", "not JSON"),
        ("names.json", "3", "neither a list"),
        ("names.csv", "1,jump\n0,climb\n7,run\n", "from 0 without gaps"),
    ],
)
def test_labels_that_do_not_fit(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConversionError, match=said):
        read_labels(tmp_path / name, 3)


def test_command_writes_a_checkpoint_that_runs_and_explains(tmp_path, capsys):
    network = small("slow")
    path = write(network, tmp_path, "caffe2", False)
    (tmp_path / "names.txt").write_text("climb\njump\nrun\nsit\nwalk\n")
    arguments = ["convert", str(path), "--out", str(tmp_path / "out"), "--labels", str(tmp_path / "names.txt")]
    assert main([*arguments, "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["network"] == "slow_r50" and said["runs at"] == ["224x8@1.0", "256x8@1.0"]
    back = load(tmp_path / "out")
    clip = torch.randn(1, 3, 8, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(back(clip, back.range.full), answers(network, clip), atol=1e-4, rtol=0)
    video = write_video(tmp_path / "clip.mp4", list(moving_square(0, 24)), 25)
    found = explain(video, back)
    assert found.name in ("climb", "jump", "run", "sit", "walk")
    assert found.logit == pytest.approx(float(found.map.mean()) + found.bias, abs=1e-3)
    assert main(arguments) == 1
    assert "already holds a checkpoint" in capsys.readouterr().err


def test_command_refuses_a_pickle_that_calls(tmp_path, capsys):
    path = tmp_path / "bad.pkl"
    path.write_bytes(b"\x80\x02cos\nsystem\nU\x04true\x85R.")
    assert main(["convert", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error:") and "os.system" in said and len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
