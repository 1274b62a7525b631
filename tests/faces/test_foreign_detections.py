"""Detections as other tools write them: the right number, or one sentence that says what is wrong.

Small files for each format and each field that used to be misread.
"""

import json
import re

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark import ROOT
from benchmark.cli import main
from benchmark.core.errors import InputError
from benchmark.faces import ap_protocols
from benchmark.faces.formats import submissions
from tests.helpers.boxes import coco_tool
from tests.helpers.commands import call, fails

FACE = [10, 20, 20, 30]
OTHER = [100, 40, 20, 30]
IMAGES = [{"id": 1, "file_name": "a/0001.jpg"}, {"id": 2, "file_name": "b/0001.jpg"}]


def face(image, box=FACE, category=1, **more):
    return {"image_id": image, "category_id": category, "bbox": box, **more}


def box(image, bbox=FACE, score=0.9, category=1, **more):
    return {"image_id": image, "category_id": category, "bbox": bbox, "score": score, **more}


def command(*names):
    found = typer.main.get_command(main.app)
    for name in names:
        found = found.commands[name]
    return found


@pytest.fixture
def coco(put):
    """Write ground truth and results, and return both paths."""

    def write(annotations, results, images=tuple(IMAGES), **more):
        truth = {"images": list(images), "annotations": annotations, **more}
        return put("truth.json", truth), put("mine.json", results)

    return write


def ap(labels, detections, protocol="all_point", **options):
    given = submissions.load(labels, detections, **options)
    return ap_protocols.score(protocol, given.truth, given.found, 0.5)


# Identity


def test_two_coco_images_of_one_base_name_are_two_images(coco):
    assert ap(*coco([face(1)], [box(2)])) == 0.0
    assert ap(*coco([face(1)], [box(1)])) == 1.0


def test_files_are_found_by_their_folder_where_base_names_repeat(coco, put, tmp_path):
    labels, _ = coco([face(1)], [])
    put("mine/a/0001.txt", "10 20 30 50 0.9\n")
    assert ap(labels, tmp_path / "mine") == 1.0
    put("mine/a/0001.txt", "")
    put("mine/b/0001.txt", "10 20 30 50 0.9\n")
    assert ap(labels, tmp_path / "mine") == 0.0


def test_a_base_name_that_stands_for_two_images_is_refused(coco, put, tmp_path):
    labels, _ = coco([face(1)], [])
    put("mine/0001.txt", "10 20 30 50 0.9\n")
    with pytest.raises(InputError, match=r"0001 stands for 2 images .*a/0001\.jpg, b/0001\.jpg"):
        ap(labels, tmp_path / "mine")


def test_two_files_that_stand_for_one_image_are_refused(put, tmp_path):
    put("label/1.txt", "1\n10 20 30 50\n")
    for folder in ("a", "b"):
        put(f"mine/{folder}/1.txt", "10 20 30 50 0.9\n")
    with pytest.raises(InputError, match=r"detections of 1 under several names.*b/1"):
        ap(tmp_path / "label", tmp_path / "mine")


def test_text_ids_of_numbered_images_are_ids_and_not_file_names(coco):
    swapped = [{"id": 1, "file_name": "2.jpg"}, {"id": 2, "file_name": "1.jpg"}]
    assert ap(*coco([face(1)], [box("1")], swapped)) == 1.0
    assert ap(*coco([face(1)], [box("2")], swapped)) == 0.0
    assert ap(*coco([face(1)], [box(1.0)], swapped)) == 1.0


def test_images_may_have_texts_as_ids(coco):
    images = [{"id": "night-1", "file_name": "x.jpg"}, {"id": "night-2", "file_name": "y.jpg"}]
    assert ap(*coco([face("night-1")], [box("night-1")], images)) == 1.0
    assert ap(*coco([face("night-1")], [box("night-2")], images)) == 0.0


def test_results_that_name_files_are_understood_where_no_id_is_meant(coco):
    images = [{"id": 10, "file_name": "x.jpg"}, {"id": 11, "file_name": "y.jpg"}]
    assert ap(*coco([face(10)], [box("x")], images)) == 1.0
    assert ap(*coco([face(10)], [box("x.jpg")], images)) == 1.0


def test_windows_paths_and_missing_file_names_are_understood(coco, put, tmp_path):
    images = [{"id": 5, "file_name": "a\\1.jpg"}, {"id": 6}]
    labels, _ = coco([face(5), face(6)], [], images)
    put("mine/a/1.txt", "10 20 30 50 0.9\n")
    put("mine/6.txt", "10 20 30 50 0.9\n")
    assert ap(labels, tmp_path / "mine") == 1.0


def test_detections_of_an_image_without_labels_are_refused_by_name(coco):
    with pytest.raises(InputError, match=r"1 of 2 images of .*mine\.json .*first is 99\)"):
        ap(*coco([face(1)], [box(1), box(99)]))


# Regions that do not count


def test_a_crowd_is_ignored_as_other_people_s_tool_does(coco):
    categories = [{"id": 1, "name": "face"}]
    crowd = face(1, [200, 200, 100, 100], iscrowd=1, id=2, area=10000)
    annotations = [face(1, iscrowd=0, id=1, area=600), crowd]
    inside = [box(1, [210 + 20 * i, 220, 15, 15], 0.95) for i in range(3)]
    files = coco(annotations, [*inside, box(1)], categories=categories)
    assert ap(*files, protocol="coco101") == pytest.approx(1.0)
    assert coco_tool(*map(str, files), 0.5) == pytest.approx(1.0)
    assert ap(*files) == 1.0


@pytest.mark.parametrize("flag", [1, True])
def test_a_face_marked_ignore_is_neither_hit_nor_missed(coco, flag):
    files = coco([face(1), face(1, OTHER, ignore=flag)], [box(1, OTHER, 0.95), box(1)])
    assert [ap(*files, protocol=name) for name in ap_protocols.PROTOCOLS] == pytest.approx(
        [1.0] * 4
    )


# Categories


PEOPLE = [{"id": 1, "name": "face"}, {"id": 2, "name": "person"}]


@pytest.mark.parametrize("category", ["1", "face"])
def test_the_category_is_chosen_by_id_or_name(coco, category):
    annotations = [face(1), face(1, OTHER, 2)]
    results = [box(1, [15, 25, 60, 90], 0.95, 2), box(1), box(1, OTHER, 0.8, 2)]
    files = coco(annotations, results, categories=PEOPLE)
    assert ap(*files, category=category) == 1.0
    assert ap(*files, category="person") == 0.5


def test_a_person_s_box_on_a_face_does_not_count(coco):
    files = coco([face(1), face(2)], [box(1, category=2), box(2)], categories=PEOPLE)
    assert ap(*files, category="face") == 0.5
    with pytest.raises(InputError, match=r"2 categories \(1 'face', 2 'person'\).*--category"):
        ap(*files)


def test_categories_that_are_declared_but_have_no_box_need_no_choice(coco):
    assert ap(*coco([face(1)], [box(1)], categories=PEOPLE)) == 1.0


def test_results_with_several_categories_need_a_choice_beside_text_labels_too(put, tmp_path):
    put("label/1.txt", "1\n10 20 30 50\n")
    mine = put("mine.json", [box(1), box(1, OTHER, 0.95, 2)])
    with pytest.raises(InputError, match=r"mine\.json hold boxes of 2 categories \(1, 2\)"):
        ap(tmp_path / "label", mine)
    assert ap(tmp_path / "label", mine, category="1") == 1.0


def test_a_category_that_is_not_there_is_refused_with_those_that_are(coco):
    files = coco([face(1)], [box(1)], categories=PEOPLE)
    with pytest.raises(InputError, match=r"'cat' is no category of .*\(1 'face', 2 'person'\)"):
        ap(*files, category="cat")


def test_boxes_without_a_category_are_refused_only_where_there_are_several(coco):
    bare = {"image_id": 1, "bbox": FACE, "score": 0.9}
    assert ap(*coco([face(1)], [bare])) == 1.0
    files = coco([face(1), face(1, OTHER, 2)], [bare])
    with pytest.raises(InputError, match=r"mine\.json entry 0 lacks the field category_id"):
        ap(*files, category="1")


def test_results_that_hold_nothing_of_the_category_are_refused(coco):
    files = coco([face(1)], [box(1, category=0)])
    with pytest.raises(InputError, match=r"mine\.json holds 1 boxes, none of category 1"):
        ap(*files, category="1")


# WIDER FACE


WIDER = """0--Parade/0_Parade_1.jpg
2
10 20 20 30 0 0 0 0 0 0
100 40 20 30 2 0 0 1 2 0
1--Riot/1_Riot_2.jpg
0
0 0 0 0 0 0 0 0 0 0
"""


@pytest.fixture
def wider(put):
    return put("wider_face_val_bbx_gt.txt", WIDER)


def test_wider_submissions_are_read_and_invalid_faces_ignored(wider, put, tmp_path):
    lines = "0_Parade_1\n2\n100 40 20 30 0.99\n10 20 20 30 0.9\n"
    put("mine/0--Parade/0_Parade_1.txt", lines)
    put("mine/1--Riot/1_Riot_2.txt", "1--Riot/1_Riot_2.jpg\n0\n")
    assert [
        ap(wider, tmp_path / "mine", protocol=name) for name in ap_protocols.PROTOCOLS
    ] == pytest.approx([1.0] * 4)


def test_plain_files_without_the_event_are_found_by_the_image_s_name(wider, put, tmp_path):
    put("mine/0_Parade_1.txt", "100 40 120 70 0.99\n10 20 30 50 0.9\n")
    given = submissions.load(wider, tmp_path / "mine")
    assert given.found["0--Parade/0_Parade_1"].boxes.tolist() == [
        [100, 40, 120, 70],
        [10, 20, 30, 50],
    ]
    assert given.unseen == ["1--Riot/1_Riot_2"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("0_Parade_1\n2\n10 20 20 30 0.9\n", "line 2 announces 2 boxes, but 1 lines follow"),
        ("0_Parade_7\n0\n", "line 1 is '0_Parade_7', expected the name of the image, 0_Parade_1"),
        ("0_Parade_1\n1\n10 20 20 30\n", "line 3 is '10 20 20 30', expected `x y width"),
        ("0_Parade_1\nmany\n", "line 1 is '0_Parade_1', expected a box and its score"),
    ],
)
def test_broken_wider_submissions_are_refused_with_the_line(wider, put, tmp_path, lines, told):
    put("mine/0--Parade/0_Parade_1.txt", lines)
    with pytest.raises(InputError, match=rf"0--Parade/0_Parade_1\.txt {told}"):
        ap(wider, tmp_path / "mine")


def test_a_folder_of_two_formats_is_refused(wider, put, tmp_path):
    put("mine/0--Parade/0_Parade_1.txt", "0_Parade_1\n1\n10 20 20 30 0.9\n")
    put("mine/1--Riot/1_Riot_2.txt", "10 20 30 50 0.9\n")
    with pytest.raises(InputError, match=r"mixes WIDER FACE's submissions"):
        ap(wider, tmp_path / "mine")


# Files and encodings


def test_suffixes_count_in_any_case_and_hidden_files_do_not(put, tmp_path):
    for name in ("1.txt", "2.TXT"):
        put(f"label/{name}", "1\n10 20 30 50\n")
        put(f"mine/{name}", "10 20 30 50 0.9\n")
    for folder in ("label", "mine"):
        put(f"{folder}/._1.txt", b"\0\5\26\7")
        put(f"{folder}/.git/3.txt", "nothing")
    assert ap(tmp_path / "label", tmp_path / "mine") == 1.0


def test_files_that_differ_in_the_case_of_their_suffix_alone_are_refused(put, tmp_path):
    put("label/1.txt", "1\n10 20 30 50\n")
    for name in ("1.txt", "1.TXT"):
        put(f"mine/{name}", "10 20 30 50 0.9\n")
    with pytest.raises(InputError, match=r"1\.TXT and 1\.txt differ in suffix alone"):
        ap(tmp_path / "label", tmp_path / "mine")


def test_a_folder_that_links_back_to_itself_is_refused(put, tmp_path):
    put("label/1.txt", "1\n10 20 30 50\n")
    (tmp_path / "label/again").symlink_to(tmp_path / "label")
    with pytest.raises(InputError, match="again is a link back"):
        ap(tmp_path / "label", tmp_path / "label")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_byte_order_mark_says_the_encoding_of_every_text_format(put, tmp_path, encoding):
    put("label/1.txt", "1\n10 20 30 50\n".encode(encoding))
    put("mine/1.txt", "10 20 30 50 0.9\r\n".encode(encoding))
    results = put("mine.json", json.dumps([box(1)]).encode(encoding))
    assert ap(tmp_path / "label", tmp_path / "mine") == 1.0
    assert ap(tmp_path / "label", results) == 1.0
    wider = put("wider.txt", WIDER.replace("Parade_1.", "Parade_é.").encode(encoding))
    put("sub/0--Parade/0_Parade_é.txt", "0_Parade_é\n1\n10 20 20 30 0.9\n".encode(encoding))
    assert ap(wider, tmp_path / "sub") == 1.0


def test_texts_of_other_encodings_are_refused_with_what_is_expected(wider, put, tmp_path):
    (tmp_path / "label").mkdir()
    latin = put("latin.txt", WIDER.replace("Parade_1.", "Parade_é.").encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.txt is not text .*UTF-8, or in UTF-16 .*iconv"):
        ap(latin, tmp_path / "mine")
    put("label/1.txt", "1\n10 20 30 50\n")
    put("mine/1.txt", "10 20 30 50 0.9\n".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"1\.txt is not text .*zero.*expected detections in UTF"):
        ap(tmp_path / "label", tmp_path / "mine")


def test_labels_that_are_not_there_are_refused_with_the_formats(tmp_path):
    with pytest.raises(InputError, match="absent is not there, expected labels: a folder of DARK"):
        ap(tmp_path / "absent", tmp_path)


def test_one_module_opens_the_texts_of_others():
    opening = re.compile(r"\.read_text\(|\.read_bytes\(|\bopen\(")
    code = [
        *(ROOT / "benchmark/faces").rglob("*.py"),
        *(ROOT / "benchmark/data/labels").glob("*.py"),
    ]
    assert [path.name for path in code if opening.search(path.read_text())] == ["text_files.py"]


# Malformed COCO files


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ({}, "is {}, expected COCO results, a list"),
        ("no json", "is not JSON"),
        ([7], "entry 0 is 7, expected an object"),
        ([{"image_id": 1, "score": 0.9}], "entry 0 lacks the field bbox"),
        ([{"image_id": 1, "bbox": FACE}], "entry 0 lacks the field score"),
        ([{"bbox": FACE, "score": 0.9}], "entry 0 lacks the field image_id"),
        ([box(1), box(1, FACE[:3])], r"entry 1 has bbox \[10, 20, 20\], expected four numbers"),
        ([box(1, ["10", "20", "20", "30"])], r"entry 0 has bbox \['10', '20', '20', '30'\]"),
        ([box(1, None)], "entry 0 has bbox None, expected four"),
        ([box(1, [10, 20, float("nan"), 30])], r"entry 0 has bbox \[10, 20, nan, 30\]"),
        ([box(1, [10, 20, 1e300, 30])], r"entry 0 has bbox \[10, 20, 1e\+300, 30\]"),
        ([box(1, [10, 20, -5, 30])], r"holds the box \[10.0, 20.0, -5.0, 30.0\], which has no"),
        ([box(1, score="high")], "entry 0 has score 'high', expected a number"),
        ([box(1, score=True)], "entry 0 has score True"),
        ([box(1, score=float("inf"))], "entry 0 has score inf"),
        ([box(None)], "entry 0 has image_id None, expected the id of an image"),
        ([box([1])], r"entry 0 has image_id \[1\]"),
        ([box(1.5)], "entry 0 has image_id 1.5"),
        ([box(1, category="1", difficult=1)], "entry 0 has the unknown field 'difficult'"),
    ],
)
def test_results_that_are_none_are_refused_with_the_entry(coco, results, told):
    with pytest.raises(InputError, match=rf"mine\.json {told}"):
        ap(*coco([face(1)], results))


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        ([], r"is \[\], expected an object with the fields images, annotations"),
        ({"images": []}, "lacks the field annotations, expected a list"),
        ({"images": {}, "annotations": []}, "has images {}, expected a list of images"),
        ({"images": [{}], "annotations": []}, "images entry 0 lacks the field id"),
        ({"images": IMAGES * 2, "annotations": []}, "has the id '1' more than once in images"),
        ({"images": [1], "annotations": []}, "images entry 0 is 1, expected an object"),
        ({"annotations": [face(3)]}, "entry 0 has image_id '3', expected the id of one"),
        ({"annotations": [{"image_id": 1}]}, "annotations entry 0 lacks the field bbox"),
        ({"annotations": [face(1, FACE[:3])]}, r"entry 0 has bbox \[10, 20, 20\]"),
        ({"annotations": [face(1, [1, 2, -3, 4])]}, "entry 0 has bbox .* none of the sizes"),
        ({"annotations": [face(1, iscrowd=2)]}, "entry 0 has iscrowd 2, expected 0 or 1"),
        ({"annotations": [face(1, ignore="no")]}, "entry 0 has ignore 'no', expected 0 or 1"),
        ({"annotations": [face(1, invalid=1)]}, "unknown field 'invalid', .*with `ignore`"),
        ({"annotations": [face(1, category=7)], "categories": PEOPLE}, "has category_id '7'"),
        ({"annotations": [], "faces": []}, "has the unknown field 'faces'"),
    ],
)
def test_ground_truth_that_is_none_is_refused_with_the_entry(put, truth, told):
    if isinstance(truth, dict):
        truth = {"images": IMAGES, **truth}
    path = put("truth.json", truth)
    with pytest.raises(InputError, match=rf"truth\.json .*{told}"):
        ap(path, put("mine.json", [box(1)]))


# Boxes in other units


@pytest.fixture
def labels(put, tmp_path):
    put("label/1.txt", "2\n310 120 330 150\n400 200 440 260\n")
    return tmp_path / "label"


@pytest.mark.parametrize(
    ("lines", "extent"),
    [
        ("0.48 0.25 0.52 0.31 0.9\n", r"\(0.48, 0.25\) to \(0.52, 0.31\)"),
        ("620 240 660 300 0.9\n800 400 880 520 0.8\n", r"\(620, 240\) to \(880, 520\)"),
    ],
)
def test_boxes_that_meet_no_face_are_told_with_what_they_span(labels, put, lines, extent):
    mine = put("mine/1.txt", lines).parent
    done = call("detect", "score", "--labels", labels, "--detections", mine, "--json")
    assert (done.returncode, json.loads(done.stdout)[0]["ap"]) == (0, 0.0)
    (warning,) = (line for line in done.stderr.splitlines() if line.startswith("warning: "))
    assert "overlaps a labelled face by 0.5 or more" in warning
    assert "faces from (310, 120) to (440, 260)" in warning
    assert "convert them" in warning
    assert re.search(f"boxes reach from {extent}", warning)


@pytest.mark.parametrize(
    "line", ["0.9 310 120 330 150", "0.9 310 120 20 30", "0.9, 400, 200, 440, 260"]
)
def test_lines_with_the_score_first_are_refused(labels, put, line):
    mine = put("mine/1.txt", f"{line}\n").parent
    with pytest.raises(InputError, match=r"read as score .* it meets 1: put the score last"):
        ap(labels, mine)


def test_detections_that_find_faces_or_lie_in_ignored_regions_need_no_warning(wider, put):
    mine = put("mine/0_Parade_1.txt", "10 20 30 50 0.9\n5 5 6 6 0.1\n").parent
    done = call("detect", "score", "--labels", wider, "--detections", mine)
    assert "warning" not in done.stderr
    assert "2 boxes against 1 faces in 2 images, 1 ignored regions, 1 images without" in done.stderr
    put("mine/0_Parade_1.txt", "100 40 120 70 0.9\n")
    assert "warning" not in call("detect", "score", "--labels", wider, "--detections", mine).stderr


def test_the_command_scores_the_category_that_is_named(coco):
    labels, mine = coco([face(1), face(1, OTHER, 2)], [box(1), box(1, OTHER, 0.95, 2)])
    words = ("detect", "score", "--labels", labels, "--detections", mine, "--json", "--draws", 0)
    fails(call(*words), "2 categories", "--category")
    assert json.loads(call(*words, "--category", "1").stdout)[0]["ap"] == 1.0


def test_the_page_of_the_docs_names_every_option_protocol_and_field_that_matters():
    page = (ROOT / "docs/detections.md").read_text(encoding="utf-8")
    options = [name for one in command("detect", "score").params for name in one.opts]
    assert {"--labels", "--category"} <= set(options)
    words = [*(one for one in options if one != "--help"), *ap_protocols.PROTOCOLS]
    assert [word for word in words if f"`{word}" not in page and f" {word}" not in page] == []


# Anything at all


KEYS = ["images", "annotations", "categories", "id", "file_name", "image_id", "category_id"]
KEYS += ["bbox", "score", "iscrowd", "ignore", "name", "strange"]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**20)
    | st.floats(allow_subnormal=False)
    | st.text(max_size=5)
)
JSON = st.recursive(
    LEAVES | st.sampled_from([FACE, [1, 2], "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=12,
)
TOKENS = ["1", "2", "0", "a.jpg", "10 20 30 50", "10 20 30 50 0.9", "nan", "1e999", "²", "\u2028"]
TOKENS += ["10 20 20 30 0 0 0 1 0 0", "-1", "9" * 5000, ",", "\t", "mine", "é"]
TEXTS = st.lists(st.sampled_from(TOKENS), max_size=6).map("\n".join)
FORMATS = st.one_of(
    st.binary(max_size=60),
    st.tuples(TEXTS, st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-16-le"])).map(
        lambda text: text[0].encode(text[1], "replace")
    ),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, LEAVES)), max_size=3).map(
        lambda value: json.dumps(value).encode()
    ),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=FORMATS)
def test_no_file_ends_in_anything_but_a_number_or_a_sentence(put, labels, content):
    good = put("good.json", {"images": IMAGES, "annotations": [face(1)]})
    fine = put("fine.json", [box(1)])
    odd = [put(f"odd{suffix}", content) for suffix in (".json", ".parquet", ".txt")]
    folder = put("odd/1.txt", content).parent
    pairs = [(good, odd[0]), (labels, odd[0]), (labels, odd[1]), (labels, folder)]
    pairs += [(odd[0], fine), (odd[0], odd[0]), (odd[2], fine), (folder, fine)]
    for truth, detections in pairs:
        for category in (None, "1"):
            try:
                value = ap(truth, detections, category=category)
            except InputError as error:
                message = str(error)
                assert message.endswith(".")
                assert "\n" not in message
            else:
                assert 0.0 <= value <= 1.0
