import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import synthetic_results as synthetic

from benchmark import evidence, grids, report
from benchmark.params import Params
from benchmark.stages.report import write_report
from benchmark.stages.tables import write_tables

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
LOADING = {"src", "srcset", "data", "poster", "action", "background"}
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """What tests ask of a page: tags, attributes, text by section, tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.section = "head"
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"] or ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text[self.section] = self.text.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data.strip()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def make(root: Path, **changes: Any) -> tuple[Params, str]:
    """Write the report of a made-up run, with single pixels for figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.params.ROOT", root)
        params = synthetic.write(root, synthetic.profile(**changes))
        write_tables(params)
        folder = params.results / "figures"
        folder.mkdir()
        for kind in ("learning", "quality_retrained", "quality_released"):
            (folder / f"{kind}.png").write_bytes(PIXEL)
        for weights in ("retrained", "released"):
            (folder / f"fig_11_qf90_{weights}.png").write_bytes(PIXEL)
        write_report(params)
        return params, (params.results / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make(tmp_path_factory.mktemp("repository"))[1]


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_is_well_formed_with_language_viewport_and_title(page):
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert "profile small" in page.text["head"]


def test_nothing_is_loaded_from_elsewhere(html, page):
    for tag, attributes in page.tags:
        for name in LOADING & set(attributes):
            assert (attributes[name] or "").startswith("data:image/png;base64,"), (tag, name)
    assert not page.all("link")
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<script src", html)
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies[0].startswith("default-src 'none'; img-src data:;")


def test_links_lead_inside_the_page_to_files_beside_it_or_to_the_paper(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for link in page.all("a"):
        target = link["href"] or ""
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            known = ("https://arxiv.org/abs/2403.07622", "tables/", "figures/", "rows.parquet")
            assert target.startswith(known)


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)


def test_every_figure_is_embedded_with_text_for_those_who_cannot_see_it(page):
    images = page.all("img")
    assert len(images) == 5
    for image in images:
        assert base64.b64decode((image["src"] or "").partition(",")[2]) == PIXEL
        assert len(image["alt"] or "") > 40
    told = " ".join(image["alt"] or "" for image in images)
    assert "LOL QF 90: MLSM 25.40 dB" in told
    assert "mlsm_vae_dark: 15.46 → 16.79 (best 16.79) dB" in told


def test_every_table_is_named_scrolls_by_keyboard_and_marks_its_heads(page):
    regions = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert regions
    assert all(region["tabindex"] == "0" for region in regions)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert all(r.get("aria-label") or r["aria-labelledby"] in ids for r in regions)
    assert {head.get("scope") for head in page.all("th")} == {"row", "col"}


def test_each_switch_offers_what_the_tables_have_and_picks_one_of_them(page):
    shown = [a for a in page.all("div") if "data-dataset" in a]
    keys = [tuple(a[f"data-{k}"] for k in ("dataset", "qf", "protocol", "weights")) for a in shown]
    assert len(set(keys)) == len(keys) == 2 * 3 * 2 * 2
    assert [select["name"] for select in page.all("select")] == [
        "dataset",
        "qf",
        "protocol",
        "weights",
    ]
    options = [option["value"] for option in page.all("option")]
    assert options == ["LOL", "SICE", "90", "70", "none", "paper", "sound", "retrained", "released"]
    assert [o["value"] for o in page.all("option") if "selected" in o] == ["sound"]


def test_protocol_paper_stands_beside_the_papers_numbers_and_sound_does_not(page):
    lime = [row for row in page.rows if row[0] == "LIME"]
    paper = next(row for row in lime if "17.38" in row)
    assert paper[3].startswith("15.40")
    assert paper[4] == "17.38"
    heads = [row for row in page.rows if row[0] == "Method"]
    assert {("paper’s" in row, "BEF ↓" in row) for row in heads} == {
        (True, False),
        (False, True),
        (False, False),
    }


def test_columns_are_sorted_by_buttons_on_full_numbers(page, html):
    assert len(page.all("button")) == sum(len(r) for r in page.rows if r[0] == "Method")
    assert re.search(r'data-sort="15\.4\d*"', html)
    assert {h["data-first"] for h in page.all("th") if "data-first" in h} == {
        "ascending",
        "descending",
    }


def test_absences_are_listed_with_reasons(page):
    assert synthetic.NO_RELEASE in page.text["absent"]
    assert "Methods of the paper that are not in this profile: RetinexNet" in page.text["profile"]


def test_miniatures_are_told_from_the_papers_sets(page):
    assert "miniatures" in page.text["profile"]


def test_training_counts_and_provenance_are_shown(page):
    shown = ["mlsm", "400", "—", "15.46 → 16.79 (best 16.79)"]
    assert shown in [row[:4] for row in page.rows]
    assert ["LSRW", "—", "5600"] in page.rows
    for said in ("commit", "cpu", "jpeg / subsampling", "libraries / torch"):
        assert said in page.text["provenance"]
    assert any(f"{'edsr':0<64}" in row for row in page.rows)


def test_it_says_how_to_cite(page):
    assert "Multiple Latent Space Mapping" in page.text["cite"]
    assert "Yi Zeng" in page.text["cite"]


def test_the_page_is_small(html):
    assert len(html) < 300_000


def test_a_profile_without_detection_and_on_real_data_says_so(tmp_path):
    detection = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}
    _, html = make(tmp_path, detection=detection, builtin=[], external=["disk"])
    page = Page(html)
    assert "does not include the detection of faces" in page.text["faces"]
    assert "miniatures" not in html
    assert len(page.all("img")) == 3


def test_text_from_outside_cannot_become_markup(tmp_path):
    _, html = make(tmp_path, title="<script>alert(1)</script>")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_a_training_that_was_never_validated_is_summarised():
    log = synthetic.log(0).drop(columns="validation_psnr")
    (line,) = report.trained({"edsr": log})
    assert (line.part, line.steps, line.psnr) == ("edsr", 400, "not validated")
    assert line.losses.startswith("model/reconstruction 0.1")


def test_a_training_tells_its_share_of_the_published_steps_and_how_far_it_is_from_the_paper():
    records = {"zero_dce": synthetic.record("zero_dce")}
    cell = {"method": "Zero-DCE", "metric": "PSNR", "protocol": "paper", "track": "retrained"}
    cell |= {"dataset": "LOL", "reported": 15.67}
    cells = pd.DataFrame(
        [cell | {"qf": 90, "difference": -0.06}, cell | {"qf": 80, "difference": 1}]
    )
    (line,) = report.trained({"zero_dce": synthetic.log(0)}, records, cells)
    assert line.share == "10.00% of 400"
    assert line.shortfall == "LOL −0.06 (QF 90), +1.00 (QF 80) dB"
    (line,) = report.trained({"zero_dce": synthetic.log(0)}, records, cells.assign(difference=None))
    assert line.shortfall == "other data than the paper's"
    (line,) = report.trained({"zero_dce": synthetic.log(0)}, records, cells.assign(reported=None))
    assert line.shortfall == "not in the paper"


def test_nested_values_are_listed_by_their_path():
    assert report.flat({"a": {"b": 1}, "c": "d"}) == [("a / b", "1"), ("c", "d")]


def test_a_missing_training_log_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, synthetic.profile())
    (params.results / "training" / "edsr.csv").unlink()
    with pytest.raises(evidence.InputError, match=r"edsr\.csv: run `dvc repro`"):
        evidence.logs(params)


def test_the_grids_of_the_report_hold_one_data_set_each():
    params = synthetic.profile()
    empty = pd.DataFrame(columns=["dataset", "qf", "protocol"])
    scope = grids.Scope(synthetic.records(params), ["LOL", "SICE"])
    assert report.quality_grids({"table_3": empty}, scope) == []
