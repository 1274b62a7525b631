"""Labelled normal-light images through every stage that ends in Table VII, with a toy detector."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, detectors
from benchmark.faces import detect as darkfaces
from benchmark.figures import face_outputs
from benchmark.stages import (
    chains,
    claims,
    compress,
    detect,
    faces,
    figures,
    inventory,
    merge,
    report,
    samples,
    score,
    tables,
    train,
)
from benchmark.tables import face_benefit, load

CHAINS = ["identity", "gamma", "oracle_gain", "reference"]
IMAGES = 6


def blobs():
    """Build a toy detector of what is brighter than its surroundings by a fixed amount."""

    def find(image):
        grey = image.mean(axis=2)
        mask = scipy.ndimage.gaussian_filter(grey, 1.0) > grey.mean() + 0.15
        parts = scipy.ndimage.find_objects(scipy.ndimage.label(mask)[0])
        found = [(x.start, y.start, x.stop, y.stop, grey[y, x].mean()) for y, x in parts]
        numbers = np.array(sorted(found, key=lambda f: -f[4]), np.float64).reshape(-1, 5)
        return Boxes(numbers[:, :4].copy(), numbers[:, 4].copy())

    return find


def profile(**detection):
    settings = {"chains": CHAINS, "sets": ["WIDER"], "detector": "blobs", "qfs": [90]}
    settings |= {"iou": [0.3, 0.5], "uncompressed": ["identity"], "others": {"spots": ["identity"]}}
    return Params.model_validate(
        {
            **{"profile": "tiny", "title": "Toys", "root": ".", "params_file": "params.yaml"},
            **{"builtin": ["demo"], "external": [], "sets": ["WIDER"], "qfs": [], "train_qfs": []},
            "merge": {"vae_dark": [], "vae_normal": [], "mapping_pairs": [], "test": []},
            **{"uncompressed": False, "tracks": ["classical"], "training": {}},
            **{"chains": [], "bootstrap": 100, "jobs": 1},
            "detection": settings | detection,
        }
    )


def write_raw(folder: Path) -> None:
    random = np.random.default_rng(0)
    lines = []
    for number in range(IMAGES):
        picture = np.full((96, 128, 3), 90, np.uint8)
        corners = [(8 + 40 * i, int(random.integers(10, 60))) for i in range(1 + number % 3)]
        for x, y in corners:
            picture[y : y + 20, x : x + 16] = 250
        event = f"0--Parade/{number}.png"
        rows = [f"{x} {y} 16 20 0 0 0 0 0 0" for x, y in corners]
        if number == 0:  # a face that the annotations call invalid
            picture[30:50, 70:86] = 250
            rows.append("70 30 16 20 2 0 0 1 0 0")
        images.write(folder / "WIDER_val/images" / event, picture)
        lines += [event, str(len(rows)), *rows]
    path = folder / "wider_face_split/wider_face_val_bbx_gt.txt"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    toys = {
        name: detectors.Entry(
            f"Toy {name}", blobs, lambda: "f" * 64, ("benchmark.data.labels.boxes",)
        )
        for name in ("blobs", "spots")
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.faces.detectors.DETECTORS", toys)
        for module in ("core.params", "scoring.plan", "stages.inventory", "stages.merge"):
            patch.setattr(f"benchmark.{module}.ROOT", root)
        params = profile()
        write_raw(root / "data/raw/tiny/WIDER FACE")
        inventory.take(params)
        merge.merge_lists(params)
        compress.compress(params, "test")
        chains.chains(params)
        detect.detect(params)
        tables.write_tables(params)
        figures.draw(params)
        faces.faces(params)
        darkfaces.ready.cache_clear()
        yield params


def test_images_are_darkened_and_labelled_and_their_normal_light_stays_the_reference(ran):
    truth = load.truth(ran)
    assert list(truth) == ["WIDER"]
    assert [len(f) for f in truth["WIDER"].values()] == [1, 2, 3, 1, 2, 3]
    listed = pd.read_csv(ran.work / "jpeg/test/faces.csv")
    assert set(listed["reference"].str.split("/").str[:2].str.join("/")) == {"raw/WIDER"}
    dark = images.read(ran.work / "jpeg/test/dark/WIDER/0--Parade/0.png")
    assert dark.mean() < 0.5 * 90 / 255


def test_a_detection_of_an_invalid_face_is_no_false_positive_in_the_pipeline(ran):
    labels = load.truth(ran)["WIDER"]["0--Parade/0"]
    assert (len(labels), labels.ignored.boxes.tolist()) == (1, [[70, 30, 86, 50]])
    (seen,) = (one for one in load.found(ran) if one.chain == "reference")
    assert len(seen.detections["0--Parade/0"]) == 2
    pooled = average_precision.pool(load.truth(ran)["WIDER"], seen.detections, 0.5)
    assert (pooled.hits.all(), len(pooled.ignored)) == (True, 1)


def test_table_7_has_floor_and_ceiling_and_the_raw_image_uncompressed(ran):
    cells = load.table(ran, "table_7")
    half = cells[cells["metric"] == "mAP@0.5"]
    columns = half[["method", "qf", "value"]].to_numpy()
    at = {(method, None if pd.isna(qf) else qf): value for method, qf, value in columns}
    assert at["Normal-light image (the reference)", 90] == 1.0
    assert at["Identity", 90] < 1.0
    assert ("Identity", None) in at
    assert list(dict.fromkeys(half["method"])) == [
        "Identity", "Gamma", "Oracle gain (uses reference)", "Normal-light image (the reference)",
    ]  # fmt: skip
    text = (ran.results / "tables/table_7.md").read_text()
    assert "Toy blobs (weights ffffffffffff)" in text
    assert "dark WIDER: normal-light images, darkened by the camera model" in text


def test_a_profile_that_only_detects_has_no_tables_of_image_quality(ran):
    names = {path.name for path in (ran.results / "tables").iterdir()}
    assert names == {"table_7.csv", "table_7.md", "table_7.tex"}
    record = json.loads((ran.results / "provenance.json").read_text())
    assert list(record["chains"]) == sorted(CHAINS)


def test_the_page_answers_whether_enhancement_helps_and_keeps_controls_apart(ran):
    page = (ran.results / "faces/page.md").read_text()
    assert "does enhancement help?" in page
    assert "of 1 rows of methods" in page  # gamma; controls are told of the answer
    assert "Controls: Oracle gain" in page
    assert "| Toy spots |" in page
    compared = pd.read_csv(ran.results / "faces/against_raw.csv")
    at_half = compared[compared["qf"] == 90]
    raw = at_half[at_half["method"] == "Identity"].iloc[0]
    assert pd.isna(raw["difference"])
    ceiling = at_half[at_half["method"].str.startswith("Normal")].iloc[0]
    assert ceiling["difference"] == pytest.approx(ceiling["ap"] - raw["ap"], abs=2e-6)
    assert pd.isna(ceiling["p_holm"])


def test_every_protocol_and_precision_at_recall_is_kept_as_numbers(ran):
    kept = pd.read_csv(ran.results / "faces/protocols.csv")
    wanted = {"ap_all_point", "ap_df1000", "ap_coco101", "ap_voc11", "precision_at_0.2"}
    assert wanted <= set(kept.columns)
    ceiling = kept[kept["method"].str.startswith("Normal")].iloc[0]
    assert ceiling[sorted(wanted)].tolist() == [1.0] * 5


def test_curves_and_pictures_of_the_set_are_drawn(ran):
    drawn = {path.name for path in (ran.results / "figures").iterdir()}
    assert drawn == {"fig_11_wider_qf90_classical.pdf", "fig_11_wider_qf90_classical.png"}
    assert (ran.results / "faces/fig_12_wider_classical.png").stat().st_size > 10_000


def test_boxes_are_kept_and_a_second_run_looks_at_no_image_again(ran, monkeypatch):
    def fail(*_):
        raise AssertionError("an image was looked at again")

    monkeypatch.setattr("benchmark.faces.detect.find_faces", fail)
    folder = ran.work / "measured/faces/identity"
    before = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    assert set(before) == {"WIDER_classical_qf90.parquet", "WIDER_classical_uncompressed.parquet"}
    detect.detect(ran)
    assert {path.name: path.read_bytes() for path in folder.glob("*.parquet")} == before


def test_chains_seen_by_different_detectors_make_no_table(ran, monkeypatch):
    path = ran.work / "measured/faces/gamma" / darkfaces.DETECTOR
    kept = path.read_text()
    path.write_text(kept.replace("Toy blobs", "Another"))
    with pytest.raises(InputError, match="different detectors"):
        load.detector(ran)
    path.write_text(kept)


def test_every_second_image_is_taken_where_the_profile_says_so(ran):
    thinned = ran.model_copy(
        update={"detection": ran.detection.model_copy(update={"every": 2}), "profile": "tiny"}
    )
    kept = (ran.work / "jpeg/test/faces.json").read_text()
    compress.compress(thinned, "test")
    assert list(load.truth(thinned)["WIDER"]) == [f"0--Parade/{n}" for n in (0, 2, 4)]
    compress.compress(ran, "test")
    assert (ran.work / "jpeg/test/faces.json").read_text() == kept


def test_the_figure_shows_raw_the_best_the_papers_method_and_the_reference():
    aps = {"identity": 0.1, "a": 0.5, "b": 0.4, "c": 0.3, "d": 0.2, "mlsm": 0.15}
    aps |= {"oracle_gain": 0.6, "reference": 0.9}
    shown = face_outputs.shown_chains(aps, ["oracle_gain", "reference"])
    assert shown == ["identity", "a", "b", "c", "mlsm", "reference"]


def compared(*differences, control=False):
    rows = [{"method": "Identity", "track": "classical", "ap": 0.2, "control": False}]
    for number, (difference, p) in enumerate(differences):
        row = {"method": f"M{number}", "track": "released", "ap": 0.2 + difference, "p": p}
        rows.append(row | {"difference": difference, "p_holm": p, "control": control})
    columns = {name: [row.get(name, np.nan) for row in rows] for name in face_benefit.COLUMNS}
    frame = pd.DataFrame(columns).assign(dataset="dark WIDER", qf=90, iou=0.5)
    return frame.astype({"qf": "Int64"})


@pytest.mark.parametrize(
    ("differences", "answer"),
    [
        ([(0.1, 0.01), (0.05, 0.3)], "Yes"),
        ([(-0.1, 0.01), (0.05, 0.3)], "No"),
        ([(-0.1, 0.2), (0.05, 0.3)], "Undecided"),
        ([(-0.1, 0.01), (0.1, 0.01)], "It depends on the method"),
    ],
)
def test_the_answer_rests_on_sure_differences_alone(differences, answer):
    (said,) = face_benefit.sentences(compared(*differences))
    assert f"does enhancement help? {answer}." in said
    assert "AP 0.2000 at IoU 0.5" in said
    best = max(range(len(differences)), key=lambda i: differences[i][0])
    assert f"Highest: M{best} (released)" in said


def test_order_against_the_paper_is_a_rank_correlation_over_shared_chains():
    printed = pd.DataFrame(
        {
            "method": list("abcde"),
            "order": "enhance",
            "metric": "mAP@0.5",
            "reported": [0.1, 0.2, 0.3, 0.4, 0.5],
        }
    )
    cells = printed.rename(columns={"reported": "value"}).assign(
        reported=np.nan, track="retrained", dataset="dark WIDER", qf=90
    )
    (said,) = face_benefit.like_the_paper(cells, printed)
    assert "Order of 5 chains" in said
    assert "rho 1.00" in said
    assert face_benefit.like_the_paper(cells.head(3), printed) == []


def test_a_profile_that_only_detects_runs_every_stage_and_has_a_report(ran):
    compress.compress(ran, "train")
    train.train(ran)
    score.score(ran)
    samples.make(ran)
    claims.write_claims(ran)
    report.write_report(ran)
    text = (ran.results / "report.html").read_text()
    assert "Dark faces: Table VII" in text
    assert samples.report_images.NO_CHAIN in text
    assert pd.read_parquet(ran.results / "rows.parquet").empty
    assert list((ran.work / "jpeg" / "train").iterdir()) == []
