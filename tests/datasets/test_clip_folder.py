import pytest

from a3d.datasets import ClipFolder, DatasetError, Item


def names(dataset):
    return [(item.path.name, item.label) for item in dataset.items]


def test_labels_count_the_folders_in_sorted_order(root):
    dataset = ClipFolder(root)
    assert dataset.classes == ("jump run", "walk")
    assert names(dataset) == [("c.mp4", 0), ("a.MKV", 1), ("b.mp4", 1)]
    assert len(dataset) == 3


def test_a_split_is_a_folder_of_class_folders(root):
    assert names(ClipFolder(root.parent, "data")) == names(ClipFolder(root))
    root.rename(root.parent / "val")
    (root.parent / "train").mkdir()
    with pytest.raises(DatasetError, match=r"the splits train, val, not classes; choose one"):
        ClipFolder(remove_files(root.parent))
    with pytest.raises(DatasetError, match=r"test: no such folder"):
        ClipFolder(root.parent, "test")


def remove_files(folder):
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    return folder


def test_given_classes_fix_the_labels(root):
    dataset = ClipFolder(root, classes=("walk", "swim", "jump run"))
    assert names(dataset) == [("c.mp4", 2), ("a.MKV", 0), ("b.mp4", 0)]
    with pytest.raises(DatasetError, match=r"c\.mp4: class 'jump run' is none of the 1 known"):
        ClipFolder(root, classes=("walk",))


def test_a_list_names_its_classes(root):
    (root / "list.txt").write_text("walk/a.MKV walking\n\njump run/c.mp4   jumping\nwalk/b.mp4 walking\n")
    dataset = ClipFolder(root / "list.txt")
    assert dataset.classes == ("jumping", "walking")
    expected = [("walk/a.MKV", 1), ("jump run/c.mp4", 0), ("walk/b.mp4", 1)]
    assert dataset.items == [Item(root / path, label) for path, label in expected]


def test_a_list_of_numbers_keeps_them(root):
    (root / "list.txt").write_text(f"walk/a.MKV 3\n{root}/jump run/c.mp4 00\n")
    dataset = ClipFolder(root / "list.txt")
    assert dataset.classes == ("0", "1", "2", "3")
    assert dataset.items == [Item(root / "walk/a.MKV", 3), Item(root / "jump run/c.mp4", 0)]
    named = ClipFolder(root / "list.txt", classes=("a", "b", "c", "d"))
    assert (named.classes, named.items) == (("a", "b", "c", "d"), dataset.items)
    with pytest.raises(DatasetError, match=r"class '3' is none of the 2 known"):
        ClipFolder(root / "list.txt", classes=("a", "b"))


def test_a_malformed_line_is_named_by_file_and_number(root):
    (root / "list.txt").write_text("walk/a.MKV 3\nwalk/b.mp4\n")
    with pytest.raises(DatasetError, match=r"list\.txt:2: 'walk/b\.mp4' is not `path label`; write both"):
        ClipFolder(root / "list.txt")


def test_a_clip_given_as_a_list_is_named(root):
    with pytest.raises(DatasetError, match=r"b\.mp4: neither a folder nor a text file"):
        ClipFolder(root / "walk" / "b.mp4")


def test_no_clips_is_an_error(tmp_path):
    (tmp_path / "list.txt").write_text("\n")
    (tmp_path / "data" / "walk").mkdir(parents=True)
    for place in (tmp_path / "list.txt", tmp_path / "data"):
        with pytest.raises(DatasetError, match="holds no clips"):
            ClipFolder(place)
    with pytest.raises(DatasetError, match="no such folder or list file"):
        ClipFolder(tmp_path / "none")


def test_a_list_may_begin_with_a_byte_order_mark(root):
    (root / "list.txt").write_text("walk/a.MKV 0\n", encoding="utf-8-sig")
    assert [item.path for item in ClipFolder(root / "list.txt").items] == [root / "walk" / "a.MKV"]
