import pytest

from a3d.datasets import ClipFolder, DatasetError, Item, read_dataset


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


WRITTEN = {
    "spaces": "walk/a.MKV walking\njump run/c.mp4 jumping\n",
    "commas": "walk/a.MKV,walking\njump run/c.mp4,jumping\n",
    "commas and spaces": "walk/a.MKV, walking\njump run/c.mp4 , jumping\n",
    "tabs": "walk/a.MKV\twalking\njump run/c.mp4\tjumping\n",
    "semicolons": "walk/a.MKV;walking\njump run/c.mp4;jumping\n",
    "quotes": '"walk/a.MKV","walking"\n"jump run/c.mp4","jumping"\n',
    "a header": "path,label\nwalk/a.MKV,walking\njump run/c.mp4,jumping\n",
    "a header with tabs": "Video\tClass\nwalk/a.MKV\twalking\njump run/c.mp4\tjumping\n",
    "a header with spaces": "path label\nwalk/a.MKV walking\njump run/c.mp4 jumping\n",
    "more columns": "id,label,frames,path\n0,walking,60,walk/a.MKV\n1,jumping,60,jump run/c.mp4\n",
    "Windows": "\ufeffpath,label\r\nwalk/a.MKV,walking\r\n\r\njump run/c.mp4,jumping\r\n",
}


@pytest.mark.parametrize("name", ["list.txt", "list.csv", "list.tsv", "list"])
@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_list_is_read_as_people_write_it(root, name, text):
    (root / name).write_text(text, newline="")
    dataset = read_dataset(root / name)
    assert dataset.classes == ("jumping", "walking")
    assert dataset.items == [Item(root / "walk/a.MKV", 1), Item(root / "jump run/c.mp4", 0)]


def test_labels_of_several_words_and_paths_with_commas(root):
    (root / "list.csv").write_text('walk/a.MKV,"walking, slowly"\n"jump, run.mp4",jumping high\n')
    assert ClipFolder(root / "list.csv").classes == ("jumping high", "walking, slowly")
    (root / "list.txt").write_text("jump, run.mp4 jumping\n-x.mp4 walking\n")
    assert names(ClipFolder(root / "list.txt")) == [("jump, run.mp4", 0), ("-x.mp4", 1)]


def test_a_malformed_line_is_named_by_file_and_number(root):
    forms = r"write both, in lines `path,label`, `path label` or with a tab between"
    broken = {"walk/a.MKV 3": "walk/b.mp4", "walk/a.MKV,3": "walk/b.mp4,3,4", "path,label": "walk/b.mp4,"}
    for first, line in broken.items():
        (root / "list.txt").write_text(f"{first}\n{line}\n")
        with pytest.raises(DatasetError, match=rf"list\.txt:2: '{line}' is not `path label`; {forms}"):
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
