"""Kinetics, Charades and AVA from their official files: what is read, and what cannot be right."""

import numpy as np
import pytest
import torch

from a3d.datasets import Ava, Charades, ClipFolder, DatasetError, Kinetics, TrainingClips, collate, read_dataset
from a3d.datasets.annotations import read_classes
from a3d.datasets.ava import ActionBox, read_boxes, read_label_map, write_detections
from a3d.datasets.verify import verify
from a3d.video import Sampling, VideoError, decode_views
from tests.imitations import write_ava, write_charades, write_kinetics


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory):
    return write_kinetics(tmp_path_factory.mktemp("kinetics"))


@pytest.fixture(scope="module")
def charades(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charades")
    write_charades(folder)
    return write_charades(folder, frames=True)


@pytest.fixture(scope="module")
def ava(tmp_path_factory):
    return write_ava(tmp_path_factory.mktemp("ava"))


def test_kinetics_finds_whole_trimmed_and_filed_clips(kinetics):
    data = Kinetics(kinetics / "train.csv", kinetics / "videos")
    assert data.classes == ("abseiling", "air drumming", "zumba") and data.task == "classification"
    found = [(str(item.path.relative_to(kinetics / "videos")), item.label, item.span) for item in data.items]
    assert found == [
        ("id_0-_Kin0.mp4", 0, (0.0, 1.0)),
        ("id_1-_Kin0_000001_000002.mp4", 1, None),
        ("zumba/id_2-_Kin0_000002_000003.mp4", 2, None),
        ("id_3-_Kin0.mp4", 0, (0.0, 1.0)),
        ("id_4-_Kin0_000001_000002.mp4", 1, None),
    ]
    assert data.missing == ("id_5-_Kin0_000002_000003",)
    named = Kinetics(kinetics / "train.csv", kinetics / "videos", ("zumba", "abseiling", "air drumming"))
    assert [item.label for item in named.items] == [1, 2, 0, 1, 2]


def test_a_kinetics_file_of_several_splits(kinetics, tmp_path):
    lines = (kinetics / "train.csv").read_text() + (kinetics / "val.csv").read_text().partition("\n")[2]
    (tmp_path / "all.csv").write_text(lines)
    counts = [len(Kinetics(tmp_path / "all.csv", kinetics / "videos", split=name)) for name in ("train", "val", None)]
    assert counts == [5, 3, 8]
    with pytest.raises(DatasetError, match="annotates no clips of the split 'test'"):
        Kinetics(tmp_path / "all.csv", kinetics / "videos", split="test")


def test_clips_keep_to_the_annotated_seconds(encode, numbers):
    path = encode("whole.mp4", 60)  # 2.4 s
    sampling = Sampling(4, 2, 48)  # 0.32 s
    frames, _ = decode_views(path, sampling, 3, (0.8, 1.6))
    assert numbers(frames.flatten(0, 1)) == [20, 22, 24, 26, 26, 28, 30, 32, 32, 34, 36, 38]
    centred, _ = decode_views(path, sampling, 1, (1.2, 1.2))
    assert numbers(centred[0]) == [26, 28, 30, 32]  # four frames before and after the moment
    cut_off, _ = decode_views(path, sampling, 2, (2.0, 9.0))
    assert numbers(cut_off.flatten(0, 1)) == [50, 52, 54, 56, 52, 54, 56, 58]
    with pytest.raises(VideoError, match=r"whole\.mp4: it ends at 2\.40 s, before 3 s"):
        decode_views(path, sampling, 1, (3.0, 4.0))


def test_training_keeps_to_the_annotated_seconds(kinetics, encode, numbers, tmp_path):
    data = Kinetics(kinetics / "train.csv", kinetics / "videos")
    path = encode("whole.mp4", 60, size=(48, 48))
    data.items = [data.items[0]._replace(path=path, span=(0.8, 1.6))]
    clips = TrainingClips(data, Sampling(4, 2, 48), jitter=(48, 48), flipped=False)
    starts = []
    for epoch in range(60):
        clips.set_epoch(epoch)
        starts.append(numbers(clips[0].frames)[0])
    assert min(starts) in (20, 21) and max(starts) in (31, 32)


def test_charades_has_the_labels_of_a_video_and_when_they_hold(charades):
    data = Charades(charades / "train.csv", charades / "videos", read_classes(charades / "classes.txt"))
    assert (len(data), data.task, data.missing, data.classes[92]) == (4, "multilabel", (), "Doing thing 92")
    assert data.items[1].label == (92, 147, 0)
    assert data.items[1].times == ((0.0, 1.0), (0.5, 3.1), (1.5, 2.0))
    assert data.items[3].label == ()
    frames = Charades(charades / "train.csv", charades / "frames")
    assert frames.classes[92] == "c092"
    video, folder = data.open(data.items[0].path), frames.open(frames.items[0].path)
    assert len(video) == len(folder) == 48 and folder.times == pytest.approx(video.times)
    assert (video.read([30]).float() - folder.read([30]).float()).abs().mean() < 8  # what H.264 and JPEG change


def test_training_asks_for_the_labels_of_its_clip(charades):
    clips = TrainingClips(Charades(charades / "train.csv", charades / "frames"), Sampling(4, 2, 24))
    seen = set()
    for epoch in range(20):
        clips.set_epoch(epoch)
        example = clips[1]
        assert example.label.shape == (157,) and example.label.dtype == torch.float32
        seen.add(tuple(example.label.nonzero().flatten().tolist()))
    assert seen <= {(92,), (92, 147), (147,), (0, 147)} and len(seen) > 1
    batch = collate([clips[1], clips[3]])
    assert batch.labels.shape == (2, 157) and batch.labels[1].sum() == 0 and batch.boxes is None


def test_ava_has_a_clip_for_every_second_with_its_people(ava):
    data = Ava(ava / "train.csv", ava / "videos", ava / "actions.pbtxt")
    assert (data.task, len(data), len(data.classes), data.evaluated[80]) == ("detection", 6, 80, "watch (a person)")
    assert data.keys[0] == ("-5KQ66BBWC4", 902) and data.items[0].span == (902.0, 902.0)
    assert data.items[0].boxes == ((0.1, 0.333, 0.6, 0.667), (0.5, 0.1, 0.95, 0.9))
    assert data.items[0].label == ((0, 11), (11, 79, 1))
    assert data.classes[0] == "bend/bow (at the waist)" and data.classes[1] == "action 2"
    assert len(Ava(ava / "val.csv", ava / "videos", ava / "actions.pbtxt", ava / "excluded.csv")) == 2


def test_ava_is_tested_on_proposals(ava):
    files = (ava / "val.csv", ava / "videos", ava / "actions.pbtxt", ava / "excluded.csv", ava / "proposals.csv")
    data = Ava(*files)
    assert data.keys == [("2PpxiG0WU18", 902), ("2PpxiG0WU18", 903)]
    assert data.items[0].label == ((), ()) and len(data.items[0].boxes) == 2
    assert len(Ava(*files, threshold=0.4).items[0].boxes) == 3
    assert len(Ava(*files, threshold=0.9).items[0].boxes) == 1


def test_ava_s_clips_are_centred_on_the_second(ava):
    data = Ava(ava / "train.csv", ava / "videos", ava / "actions.pbtxt")
    _, times = decode_views(data.items[1].path, Sampling(4, 2, 24), 1, data.items[1].span, data.open)
    assert times[0] == pytest.approx(903 + np.array([-4, -2, 0, 2]) / 30)


def test_a_frames_folder_of_ava_begins_at_second_900(ava, tmp_path):
    write_ava(tmp_path, frames=True)
    frames = Ava(tmp_path / "train.csv", tmp_path / "frames", tmp_path / "actions.pbtxt")
    videos = Ava(ava / "train.csv", ava / "videos", ava / "actions.pbtxt")
    folder, movie = frames.open(frames.items[0].path), videos.open(videos.items[0].path)
    assert folder.times[0] == movie.times[0] == 900 and folder.times == pytest.approx(movie.times)


def test_annotations_of_one_s_own_are_at_any_seconds(ava, tmp_path):
    """Seconds of the file itself; with official ones alone, a short file is the cut from second 900 on."""
    official = (ava / "train.csv").read_text()
    own = official
    for second in (902, 903, 904):
        own = own.replace(f",0{second},", f",{second - 900},")
    (tmp_path / "own.csv").write_text(own)
    ours = Ava(tmp_path / "own.csv", ava / "videos", ava / "actions.pbtxt")
    theirs = Ava(ava / "train.csv", ava / "videos", ava / "actions.pbtxt")
    assert [item.span[0] for item in ours.items] == [item.span[0] - 900 for item in theirs.items]
    assert ours.open(ours.items[0].path).times[0] == 0 and theirs.open(theirs.items[0].path).times[0] == 900
    assert ours.duration(ours.items[0].path) == pytest.approx(5.0, abs=0.05)
    clips = [
        decode_views(data.items[0].path, Sampling(4, 2, 24), 1, data.items[0].span, data.open)
        for data in (ours, theirs)
    ]
    assert torch.equal(clips[0][0], clips[1][0]) and clips[1][1] == pytest.approx(clips[0][1] + 900)


def test_a_kinetics_list_without_labels_can_be_verified_and_no_more(kinetics, tmp_path):
    lines = [line.partition(",")[2] for line in (kinetics / "val.csv").read_text().splitlines()]
    (tmp_path / "test.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DatasetError, match=r"test\.csv:1: no column 'label', .*; give Kinetics \(label,youtube_id,"):
        read_dataset(tmp_path / "test.csv", videos=kinetics / "videos")
    data = read_dataset(tmp_path / "test.csv", videos=kinetics / "videos", labelled=False)
    assert data.classes == () and [item.label for item in data.items] == [()] * 3
    assert {found.state for found in verify(data, decode=True)} == {"unlabelled"}


def test_training_cuts_the_boxes_with_the_picture(ava):
    data = Ava(ava / "train.csv", ava / "videos", ava / "actions.pbtxt")
    clips = TrainingClips(data, Sampling(4, 2, 24))
    examples = [clips[index] for index in range(6)]
    batch = collate(examples)
    count = sum(len(example.boxes) for example in examples)
    assert batch.boxes.shape == (count, 5) and batch.labels.shape == (count, 80)
    assert set(batch.boxes[:, 0].tolist()) == set(range(6))
    assert ((batch.boxes[:, 1:] >= 0) & (batch.boxes[:, 1:] <= 1)).all()
    assert (batch.boxes[:, 3:] > batch.boxes[:, 1:3]).all()
    for example in examples:
        wanted = [[0, 11], [1, 11, 79]][-len(example.label) :]
        assert len(example.label) == 1 or [row.nonzero().flatten().tolist() for row in example.label] == wanted


def test_detections_are_written_best_first_and_read_back(tmp_path):
    found = [
        ActionBox("b", 902, (0.1, 0.2, 0.3, 0.4), 12, 0.25),
        ActionBox("a", 903, (0.0, 0.0, 1.0, 1.0), 1, 0.5),
        ActionBox("b", 902, (1 / 3, 0.2, 0.5, 0.4), 80, 0.75),
    ]
    write_detections(tmp_path / "found.csv", found)
    assert (tmp_path / "found.csv").read_text().startswith("a,0903,0,0,1,1,1,0.5\nb,0902,0.333333333,")
    again = list(read_boxes(tmp_path / "found.csv"))
    assert [box.score for box in again] == [0.5, 0.75, 0.25] and again[1].box[0] == pytest.approx(1 / 3, abs=1e-9)


def test_the_labels_of_version_2_2_are_read_too(tmp_path):
    first = 'label {\n  name: "stand"\n  label_id: 12\n  label_type: PERSON_MOVEMENT\n}\n'
    (tmp_path / "list.pbtxt").write_text(first + 'label { name: "sit" label_id: 11 }')
    assert read_label_map(tmp_path / "list.pbtxt") == {12: "stand", 11: "sit"}
    for text, cause in (
        ("item { id: 3 }", r"list\.pbtxt:1: a label without name or id"),
        ('item { name: "a" id: 3 }\nitem { name: "b" id: 3 }', r"list\.pbtxt:2: id 3 is not one of 1 to 80 or there"),
        ("", "it holds no labels"),
    ):
        (tmp_path / "list.pbtxt").write_text(text)
        with pytest.raises(DatasetError, match=cause):
            read_label_map(tmp_path / "list.pbtxt")


def test_a_file_is_known_by_its_first_line(kinetics, charades, ava, tmp_path):
    kinds = {
        Kinetics: read_dataset(kinetics / "train.csv", videos=kinetics / "videos"),
        Charades: read_dataset(charades / "train.csv", videos=charades / "videos"),
        Ava: read_dataset(ava / "val.csv", videos=ava / "videos", labels=ava / "actions.pbtxt"),
        ClipFolder: read_dataset(kinetics / "videos"),
    }
    assert all(type(data) is kind for kind, data in kinds.items())
    (tmp_path / "list.csv").write_text(f"{kinetics / 'videos' / 'id_0-_Kin0.mp4'} 0\n")
    assert type(read_dataset(tmp_path / "list.csv")) is ClipFolder
    for name, text, cause in (
        ("odd.csv", "a,b\n1,2\n", r"odd\.csv:1: it is none of these: a folder .*path,label.*Kinetics.*Charades.*AVA"),
        ("none.csv", None, r"none\.csv: no such folder or file"),
    ):
        if text:
            (tmp_path / name).write_text(text)
        with pytest.raises(DatasetError, match=cause):
            read_dataset(tmp_path / name)
    with pytest.raises(DatasetError, match="add --videos FOLDER"):
        read_dataset(kinetics / "train.csv")
    with pytest.raises(DatasetError, match="add --labels ava_action_list"):
        read_dataset(ava / "val.csv", videos=ava / "videos")


KINETICS = "label,youtube_id,time_start,time_end,split\nzumba,id_0-_Kin0,0,1,train\n"
CHARADES = "id,actions,length\n0AB0C,c001 0.00 1.00,2.00\n"
AVA = "-5KQ66BBWC4,0902,0.1,0.2,0.3,0.4,12,0\n"
MALFORMED = [
    ("kinetics", KINETICS + "zumba,id_1-_Kin0,0,1\n", r":3: 4 columns, not 5 as the header"),
    ("kinetics", KINETICS + "zumba,id_1-_Kin0,0,ten,train\n", r":3: time_end is 'ten', not a number of at least 0"),
    ("kinetics", KINETICS + "zumba,id_1-_Kin0,4,4,train\n", r":3: time_end 4 is not after time_start 4"),
    (
        "kinetics",
        KINETICS + "zumba,id_0-_Kin0,0,1,train\n",
        r":3: youtube_id id_0-_Kin0 at 0 to 1 s is there already",
    ),
    ("kinetics", KINETICS + "samba,id_1-_Kin0,0,1,train\n", r":3: class 'samba' is none of the 1 known"),
    ("kinetics", KINETICS + ",id_1-_Kin0,0,1,train\n", r":3: no label"),
    (
        "kinetics",
        KINETICS.replace(",split", ""),
        r":1: it is none of these: .*label,youtube_id,time_start,time_end,",
    ),
    ("kinetics", KINETICS + 'zumba,"id_1,0,1,train\n', r":3: unexpected end of data"),
    ("charades", CHARADES + "1AB1C,c001 0.00 1.00\n", r":3: 2 columns, not 3 as the header"),
    ("charades", CHARADES + "1AB1C,c157 0.00 1.00,2.00\n", r":3: class 'c157' is none of c000 to c156"),
    (
        "charades",
        CHARADES + "1AB1C,c001 0.00 4.10,2.00\n",
        r":3: action 'c001 0.00 4.10' ends after the video, 2 s",
    ),
    ("charades", CHARADES + "1AB1C,c001 1.00 0.50,2.00\n", r":3: action 'c001 1.00 0.50' ends before it starts"),
    ("charades", CHARADES + "1AB1C,c001 1.00,2.00\n", r":3: action 'c001 1.00' is not `class start end`"),
    ("charades", CHARADES + "1AB1C,c001 0.00 1.00,long\n", r":3: length is 'long', not a number"),
    ("charades", CHARADES + "0AB0C,c001 0.00 1.00,2.00\n", r":3: id '0AB0C' is there already, in line 2"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.1,0.2,0.3,0.4\n", r":2: 6 columns, not 7 or 8"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.1,0.2,1.3,0.4,12,0\n", r":2: x2 is '1\.3', not a number from 0 to 1"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.1,0.2,nan,0.4,12,0\n", r":2: x2 is 'nan', not a number from 0 to 1"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.4,0.2,0.3,0.4,12,0\n", r":2: box 0\.4,0\.2,0\.3,0\.4 is not x1,y1,x2,y2"),
    ("ava", AVA + "-5KQ66BBWC4,-1,0.1,0.2,0.3,0.4,12,0\n", r":2: timestamp is '-1', not a number of at least 0"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.1,0.2,0.3,0.4,81,0\n", r":2: action_id is '81', not a number from 1 to 80"),
    ("ava", AVA + "-5KQ66BBWC4,0902,0.1,0.2,0.3,0.4,1.5,0\n", r":2: action_id is '1\.5', not a whole number"),
]


@pytest.mark.parametrize(("kind", "text", "cause"), MALFORMED)
def test_a_line_that_cannot_be_right_is_named(kind, text, cause, request, tmp_path):
    folder = request.getfixturevalue(kind)
    (tmp_path / "classes.txt").write_text("zumba\n")
    labels = {"kinetics": tmp_path / "classes.txt", "charades": None, "ava": folder / "actions.pbtxt"}[kind]
    (tmp_path / "annotations.csv").write_text(text)
    with pytest.raises(DatasetError, match=r"annotations\.csv" + cause):
        read_dataset(tmp_path / "annotations.csv", videos=folder / "videos", labels=labels)


def test_classes_are_given_once(tmp_path):
    (tmp_path / "classes.txt").write_text("run\nc001 is no code here\nrun\n")
    with pytest.raises(DatasetError, match=r"classes\.txt:3: class 'run' is there already, in line 1"):
        read_classes(tmp_path / "classes.txt")
    (tmp_path / "classes.txt").write_text("\n")
    with pytest.raises(DatasetError, match="it is empty"):
        read_classes(tmp_path / "classes.txt")


def test_a_folder_without_the_videos_is_named(kinetics, charades, ava, tmp_path):
    for make in (
        lambda: Kinetics(kinetics / "train.csv", tmp_path),
        lambda: Charades(charades / "train.csv", tmp_path),
        lambda: Ava(ava / "train.csv", tmp_path, ava / "actions.pbtxt"),
    ):
        with pytest.raises(DatasetError, match="it holds none of the"):
            make()
    with pytest.raises(DatasetError, match=r"nowhere: no such folder"):
        Kinetics(kinetics / "train.csv", tmp_path / "nowhere")
