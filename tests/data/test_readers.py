"""Every raw set's reader on a miniature of its published layout."""

from pathlib import Path

import pytest

from benchmark.core.errors import InputError
from benchmark.data import folders, readers
from benchmark.data.manifest import Pair


def touch(root: Path, *paths: str) -> None:
    """Make empty files: readers open none."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def names(pairs: list[Pair], split: str) -> list[str]:
    return [pair.name for pair in pairs if pair.split == split]


def lol(root: Path) -> Path:
    for name in ("2.png", "10.png", "9.png"):
        touch(root, f"our485/low/{name}", f"our485/high/{name}")
    touch(root, "eval15/low/1.png", "eval15/high/1.png")
    return root


def sequence(root: Path, part: str, number: int, count: int, label: str = "JPG") -> None:
    touch(root, f"{part}/Label/{number}.{label}")
    touch(root, *(f"{part}/{number}/{exposure}.JPG" for exposure in range(1, count + 1)))


def test_lol_is_read_in_the_order_of_splits_and_numbers(tmp_path):
    pairs = readers.read_paired("LOL", lol(tmp_path))
    assert [(p.split, p.name) for p in pairs] == [
        *(("train", name) for name in ("2", "9", "10")),
        ("test", "1"),
    ]
    assert pairs[0].dark == tmp_path / "our485/low/2.png"
    assert pairs[0].normal == tmp_path / "our485/high/2.png"


def test_an_extra_top_folder_is_stepped_into(tmp_path):
    lol(tmp_path / "LOLdataset")
    assert len(readers.read_paired("LOL", tmp_path)) == 4


def test_upper_case_suffixes_and_folders_are_understood(tmp_path):
    touch(tmp_path, "our485/Low/1.PNG", "our485/High/1.Png")
    assert names(readers.read_paired("LOL", tmp_path), "train") == ["1"]


def test_partners_may_have_another_suffix(tmp_path):
    touch(tmp_path, "low/1.jpg", "normal/1.png")
    assert readers.read_paired("A7m3", tmp_path)[0].normal == tmp_path / "normal/1.png"


def test_hidden_files_and_other_files_are_passed_over(tmp_path):
    touch(lol(tmp_path), "our485/low/._2.png", "our485/low/Thumbs.db", ".git/low/1.png")
    assert len(readers.read_paired("LOL", tmp_path)) == 4


def test_half_a_set_is_read_as_far_as_it_goes(tmp_path):
    touch(tmp_path, "eval15/low/1.png", "eval15/high/1.png")
    assert names(readers.read_paired("LOL", tmp_path), "train") == []


def test_dark_images_without_partner_are_told_together(tmp_path):
    touch(lol(tmp_path), *(f"our485/low/{n}.png" for n in (3, 4, 5, 6)), "eval15/low/7.png")
    with pytest.raises(InputError, match=r"5 problems in LOL: .*low/3\.png has no normal"):
        readers.read_paired("LOL", tmp_path)


def test_two_files_that_differ_in_suffix_alone_are_refused(tmp_path):
    touch(lol(tmp_path), "our485/low/2.jpg")
    with pytest.raises(InputError, match="differ in suffix alone"):
        readers.read_paired("LOL", tmp_path)


@pytest.mark.parametrize("dataset", ["LOL", "LSRW", "RELLISUR", "A7m3"])
def test_a_paired_set_without_any_of_its_layout_tells_what_was_looked_for(tmp_path, dataset):
    touch(tmp_path, "something/else.png")
    told = rf"holds none of {dataset}, expected .*(low|LLLR).*, but has something"
    with pytest.raises(InputError, match=told):
        readers.read_paired(dataset, tmp_path)


@pytest.mark.parametrize(
    ("read", "looked_for"),
    [
        (readers.read_sice, "Part1/1, Part1/Label"),
        (readers.read_sice58, "Part1/1, Part1/Label"),
        (readers.read_labelme, "an image anywhere below"),
        (readers.read_dark_face, "image/1.png, label/1.txt"),
    ],
)
def test_any_other_set_without_its_layout_tells_what_was_looked_for(tmp_path, read, looked_for):
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=looked_for):
        read(tmp_path)


def test_lsrw_names_carry_the_camera(tmp_path):
    for part, camera, name in (
        ("Training data", "Huawei", "2043"),
        ("Training data", "Nikon", "2043"),
        ("Eval", "Huawei", "2062"),
        ("Eval", "Nikon", "3008"),
    ):
        touch(tmp_path, f"{part}/{camera}/low/{name}.jpg", f"{part}/{camera}/high/{name}.jpg")
    pairs = readers.read_paired("LSRW", tmp_path)
    assert names(pairs, "train") == ["Huawei/2043", "Nikon/2043"]
    assert names(pairs, "test") == ["Huawei/2062", "Nikon/3008"]


@pytest.mark.parametrize("reference", ["NLHR/X1/00018.png", "NLHR-Duplicates/X1/00018-4.5.png"])
def test_rellisur_exposures_find_their_reference_in_either_folder(tmp_path, reference):
    touch(tmp_path, "Train/LLLR/00018-4.5.png", f"Train/{reference}")
    (pair,) = readers.read_paired("RELLISUR", tmp_path)
    assert (pair.split, pair.name, pair.normal) == (
        "train",
        "00018-4.5",
        tmp_path / "Train" / reference,
    )


def test_rellisur_exposures_of_a_scene_share_one_reference(tmp_path):
    touch(tmp_path, *(f"Val/LLLR/00018-{ev}.png" for ev in ("2.5", "4.5")))
    touch(tmp_path, "Val/NLHR/X1/00018.png", "Test/LLLR/00002-3.0.png", "Test/NLHR/X1/00002.png")
    pairs = readers.read_paired("RELLISUR", tmp_path)
    assert names(pairs, "val") == ["00018-2.5", "00018-4.5"]
    assert names(pairs, "test") == ["00002-3.0"]
    assert pairs[0].normal == pairs[1].normal


def test_only_rellisur_shares_references_by_the_part_before_the_dash(tmp_path):
    touch(tmp_path, "low/1-2.png", "normal/1.png")
    with pytest.raises(InputError, match="1 problem in A7m3"):
        readers.read_paired("A7m3", tmp_path)


def test_sice_tests_three_of_seven_and_four_of_nine_exposures_of_part2(tmp_path):
    sequence(tmp_path, "Dataset_Part2", 5, 7)
    sequence(tmp_path, "Dataset_Part2", 126, 9, "PNG")
    pairs = readers.read_sice(tmp_path)
    assert names(pairs, "test") == ["5/1", "5/2", "5/3", "126/1", "126/2", "126/3", "126/4"]
    assert pairs[-1].normal == tmp_path / "Dataset_Part2/Label/126.PNG"


def test_sice_trains_on_the_exposure_next_below_the_middle_of_part1(tmp_path):
    sequence(tmp_path, "Part1", 1, 7)
    sequence(tmp_path, "Part1", 2, 9)
    assert names(readers.read_sice(tmp_path), "train") == ["1/3", "2/4"]


def test_sice58_holds_58_sequences_of_part1_out(tmp_path):
    for number in (3, 4, 103, 104):
        sequence(tmp_path, "Part1", number, 7)
    sequence(tmp_path, "Part2", 4, 9)
    pairs = readers.read_sice58(tmp_path)
    assert names(pairs, "train") == ["Part1/3/3", "Part1/104/3", "Part2/4/4"]
    assert names(pairs, "test") == ["Part1/4/3", "Part1/103/3"]


def test_sice58_leaves_the_531_training_images_of_table_one():
    assert 360 + 229 - len(readers.SICE_TEST) == 531


def test_sice_sequences_without_label_or_exposures_are_told_together(tmp_path):
    sequence(tmp_path, "Part1", 1, 7)
    sequence(tmp_path, "Part1", 2, 1)
    touch(tmp_path, "Part1/3/1.JPG", "Part1/3/2.JPG")
    with pytest.raises(InputError, match=r"2 problems in SICE: .*2 has fewer .*3 has no image"):
        readers.read_sice(tmp_path)


def test_labelme_reads_any_tree_and_names_images_by_their_path(tmp_path):
    touch(tmp_path, "b/Images/10.jpg", "b/Images/9.JPG", "a.png", "b/Annotations/9.xml")
    pairs = readers.read_labelme(tmp_path)
    assert [(p.name, p.dark, p.split) for p in pairs] == [
        ("a", None, "train"),
        ("b/Images/9", None, "train"),
        ("b/Images/10", None, "train"),
    ]


def test_labelme_follows_links_and_reads_every_folder_once(tmp_path):
    touch(tmp_path / "far", "1.png")
    touch(tmp_path / "LabelMe", "here/2.png")
    (tmp_path / "LabelMe" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "LabelMe" / "twice").symlink_to(tmp_path / "far")
    assert [p.name for p in readers.read_labelme(tmp_path / "LabelMe")] == ["here/2", "linked/1"]


def test_a_link_that_leads_back_is_told_and_the_rest_is_read(tmp_path):
    touch(tmp_path, "here/2.png", "1.png")
    (tmp_path / "here" / "loop").symlink_to(tmp_path)
    with pytest.raises(folders.LayoutError, match=r"here/loop is a link back") as caught:
        readers.read_labelme(tmp_path)
    assert [p.name for p in caught.value.pairs] == ["1", "here/2"]


def test_every_problem_of_a_set_is_told_in_one_message(tmp_path, monkeypatch):
    """Folders without permission are simulated: tests may run as root, who may open any."""
    touch(lol(tmp_path), "our485/low/2.jpg", "our485/low/77.png")
    listing = Path.iterdir

    def guarded(folder: Path):
        if folder.match("eval15/low"):
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(folders.LayoutError, match="3 problems in LOL") as caught:
        readers.read_paired("LOL", tmp_path)
    told = " ".join(caught.value.problems)
    assert "differ in suffix alone" in told
    assert "eval15/low cannot be opened (Permission denied)" in told
    assert "low/77.png has no normal-light image" in told
    assert names(caught.value.pairs, "train") == ["2", "9", "10"]


def test_of_many_problems_the_first_are_named_and_the_others_counted(tmp_path):
    touch(lol(tmp_path), *(f"our485/low/{n}.png" for n in range(100, 130)))
    with pytest.raises(InputError, match=r"30 problems in LOL: .*100.png.*; and 22 more: unpack"):
        readers.read_paired("LOL", tmp_path)


def test_two_extra_top_folders_are_stepped_into(tmp_path):
    lol(tmp_path / "LOL" / "LOLdataset")
    assert len(readers.read_paired("LOL", tmp_path)) == 4


def test_labelme_refuses_two_images_of_one_name(tmp_path):
    touch(tmp_path, "a/1.png", "a/1.jpg")
    with pytest.raises(InputError, match="differ in suffix alone"):
        readers.read_labelme(tmp_path)


@pytest.mark.parametrize("folder", ["image", "images", "DarkFace_Train_2021/image"])
def test_dark_face_reads_dark_images_with_their_labels(tmp_path, folder):
    label = Path(folder).parent / "label"
    touch(tmp_path, *(f"{folder}/{n}.png" for n in (10, 9)), *(f"{label}/{n}.txt" for n in (9, 10)))
    pairs = readers.read_dark_face(tmp_path)
    assert [(p.split, p.name, p.normal) for p in pairs] == [
        ("test", "9", None),
        ("test", "10", None),
    ]
    assert pairs[0].labels == tmp_path / label / "9.txt"


def test_dark_face_images_without_label_are_told_together(tmp_path):
    touch(tmp_path, "image/1.png", "image/2.png", "image/3.png", "label/1.txt")
    with pytest.raises(InputError, match=r"2 problems in DARKFACE: .*image/2\.png has no label"):
        readers.read_dark_face(tmp_path)


@pytest.mark.parametrize("above", ["", "WIDER_val/"])
def test_wider_reads_normal_light_images_of_every_event_with_one_file_of_annotations(
    tmp_path, above
):
    folder = f"{above}WIDER_val/images"
    touch(tmp_path, f"{folder}/1--Handshaking/1_b.jpg", f"{folder}/0--Parade/0_a.jpg")
    touch(tmp_path, "wider_face_split/wider_face_val_bbx_gt.txt")
    pairs = readers.read_wider("WIDER", tmp_path)
    assert [(p.split, p.name, p.dark) for p in pairs] == [
        ("test", "0--Parade/0_a", None),
        ("test", "1--Handshaking/1_b", None),
    ]
    assert {p.labels.name for p in pairs} == {"wider_face_val_bbx_gt.txt"}


def test_copies_of_wider_have_a_label_file_an_image(tmp_path):
    touch(tmp_path, "images/10.jpg", "images/9.jpg", "label/9.txt", "label/10.txt")
    pairs = readers.read_wider("WIDER416", tmp_path)
    assert [(p.name, p.labels.name) for p in pairs] == [("9", "9.txt"), ("10", "10.txt")]


def test_wider_images_without_annotations_are_told(tmp_path):
    touch(tmp_path, "WIDER_val/images/0--Parade/0_a.jpg")
    with pytest.raises(InputError, match="no wider_face_split/wider_face_val_bbx_gt"):
        readers.read_wider("WIDER", tmp_path)
    touch(tmp_path / "copy", "images/1.jpg", "images/2.jpg", "label/1.txt")
    with pytest.raises(InputError, match=r"2\.jpg has no label"):
        readers.read_wider("WIDER", tmp_path / "copy")
