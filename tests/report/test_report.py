import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmark import ROOT
from benchmark.core.params import Params
from benchmark.report import captions, markdown, sources, training
from benchmark.report import data as payload
from benchmark.report import page as pages
from benchmark.stages.report import write_report
from benchmark.stages.tables import write_tables
from benchmark.tables import grid, load
from tests.helpers import synthetic_results as synthetic

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
RESULTS = ROOT / "results"
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
        self.data: dict[str, str] = {}
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
        if tag == "script":
            self.data[dict(attrs).get("id") or str(len(self.data))] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data[[*self.data][-1]] += data
            return
        self.text[self.section] = self.text.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data.strip()

    def embedded(self, name: str) -> Any:
        return json.loads(self.data[name])

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def make(root: Path, **changes: Any) -> tuple[Params, str]:
    """Write the report of a made-up run, with single pixels for figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.core.params.ROOT", root)
        params = synthetic.write(root, synthetic.profile(**changes))
        write_tables(params)
        folder = params.results / "figures"
        folder.mkdir()
        for kind in ("learning", "quality_retrained", "quality_released"):
            (folder / f"{kind}.png").write_bytes(PIXEL)
        for track in ("retrained", "released") if params.detection.chains else ():
            (folder / f"fig_11_qf90_{track}.png").write_bytes(PIXEL)
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


def test_the_policy_allows_the_pages_own_scripts_and_style_alone(html, page):
    (policy,) = [m["content"] or "" for m in page.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(scripts) == len(pages.SCRIPTS)
    for text in (*scripts, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not [tag for tag, attributes in page.tags if "style" in attributes]


def test_links_lead_inside_the_page_to_files_beside_it_or_to_the_paper(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for link in page.all("a"):
        target = link["href"] or ""
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            known = ("https://arxiv.org/abs/2403.07622", "tables/", "figures/", "../paper/")
            known += ("rows.parquet", "provenance.json", "costs.csv", "curve/", "faces/")
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
    regions = [a for a in page.all("div") if (a.get("class") or "").startswith("scroll")]
    assert regions
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)
    assert {head.get("scope") for head in page.all("th")} == {"row", "col"}


def test_every_cell_of_the_tables_is_in_the_page_with_its_interval_and_the_papers_number(page):
    data = page.embedded("quality-data")
    assert (data["datasets"], data["qfs"]) == (["LOL", "SICE"], ["90", "70", "none"])
    assert sorted(data["protocols"]) == ["paper", "sound"]
    tracks = {(line["title"], line["track"]) for line in data["lines"] if not line["absent"]}
    perceived = 2 * 2  # sets, metrics: at one quality factor, protocol sound alone
    assert len(data["cells"]) == len(tracks) * (2 * 3 * 8 + perceived)
    lime = next(i for i, line in enumerate(data["lines"]) if line["title"] == "LIME")
    place = [0, 0, data["protocols"].index("paper"), 0, lime]
    (cell,) = [cell for cell in data["cells"] if cell[:5] == place]
    assert cell[5] == pytest.approx(15.4)
    assert cell[6] < cell[5] < cell[7]
    assert cell[8:10] == [6, 17.38]


def test_metrics_say_how_they_are_printed_and_which_way_is_better(page):
    metrics = {metric["name"]: metric for metric in page.embedded("quality-data")["metrics"]}
    assert metrics["PSNR"] == {"name": "PSNR", "unit": "dB", "decimals": 2, "rises": True}
    assert metrics["BEF"]["rises"] is False


def test_a_line_without_numbers_says_why(page):
    lines = page.embedded("quality-data")["lines"]
    (line,) = [line for line in lines if line["chain"] == "mlsm" and line["absent"]]
    assert (line["track"], line["absent"]) == ("released", synthetic.NO_RELEASE)


def test_every_image_has_its_numbers_under_protocol_sound(page):
    data = page.embedded("images-data")
    assert data["names"]["LOL"] == ["0", "1", "2", "3", "4", "5"]
    lines = page.embedded("quality-data")["lines"]
    gamma = next(i for i, line in enumerate(lines) if line["chain"] == "gamma")
    assert data["values"]["LOL"]["90"]["PSNR"][str(gamma)] == pytest.approx(
        [10.9, 11.9, 12.9, 13.9, 14.9, 15.9]
    )
    assert data["left_out"] == []


def test_images_of_many_qualities_stay_within_the_room_and_the_page_says_so(monkeypatch):
    params = synthetic.profile()
    lines = payload.results(empty_cells(), scope(params))["lines"]
    rows = synthetic.image_rows(params, "gamma")
    monkeypatch.setattr(payload, "MOST_VALUES", 100)
    found = payload.images(rows, lines, [90, 70, None])
    assert [*found["values"]["LOL"]] == ["90"]
    assert found["left_out"] == ["70", "none"]


def test_images_are_listed_as_people_count_folder_by_folder():
    params = synthetic.profile()
    lines = payload.results(empty_cells(), scope(params))["lines"]
    rows = synthetic.image_rows(params, "gamma")
    spelled = ["10/2", "2/10", "2/9", "Huawei/10", "Nikon/2"]
    names = dict(zip(rows["image"].unique()[: len(spelled)], spelled, strict=True))
    rows = rows[rows["image"].isin(names)].assign(image=lambda frame: frame["image"].map(names))
    found = payload.images(rows, lines, [90])
    assert found["names"]["LOL"] == ["2/9", "2/10", "10/2", "Huawei/10", "Nikon/2"]


def test_pictures_to_compare_are_embedded(page):
    data = page.embedded("samples-data")
    assert [image["image"] for image in data["images"]] == ["0", "1"]
    assert [*data["images"][0]["files"]] == [
        "dark",
        "reference",
        "gamma classical",
        "mlsm retrained",
    ]
    for source in data["images"][0]["files"].values():
        assert base64.b64decode(source.partition("base64,")[2])[8:12] == b"WEBP"
    assert "10, 90 % quantiles of the PSNR of MLSM" in page.text["pictures"]


def test_a_profile_without_previews_shows_no_pictures_and_says_why(tmp_path, monkeypatch):
    index = tmp_path / "index.json"
    rule = pages_rule(previews=[])
    index.write_text(json.dumps({"rule": rule, "qf": 60, "quality": 0, "images": []}))
    assert "licence is the data set's own" in sources.pictures_to_compare(tmp_path)["rule"]


def test_the_head_of_the_page_tells_the_highest_psnr_and_leaves_controls_out(page):
    data = page.embedded("quality-data")
    assert pages.tiles(data)[1].value == "25.40 dB"
    mlsm = [line | {"control": line["chain"] == "mlsm"} for line in data["lines"]]
    assert pages.tiles(data | {"lines": mlsm})[1].value == "24.40 dB"


def test_absences_are_listed_with_reasons(page):
    assert synthetic.NO_RELEASE in page.text["absent"]
    assert "Methods of the paper that are not in this profile: RetinexNet" in page.text["profile"]


def test_miniatures_are_told_from_the_papers_sets(page):
    assert "miniatures" in page.text["profile"]


def test_training_counts_and_provenance_are_shown(page):
    shown = ["mlsm", "400", "—", "—", "15.46 → 16.79 (best 16.79)"]
    assert shown in [row[:5] for row in page.rows]
    assert ["LSRW", "—", "5600"] in page.rows
    for said in ("commit", "cpu", "jpeg / subsampling", "libraries / torch"):
        assert said in page.text["provenance"]
    assert any(f"{'edsr':0<64}" in row for row in page.rows)


def test_it_says_how_to_cite(page):
    assert "Multiple Latent Space Mapping" in page.text["cite"]
    assert "Yi Zeng" in page.text["cite"]


def test_the_page_is_small(html):
    assert len(html) < 500_000


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
    (line,) = training.trained({"edsr": log})
    assert (line.part, line.steps, line.psnr) == ("edsr", 400, "not validated")
    assert line.losses.startswith("model/reconstruction 0.1")


def test_a_training_tells_its_share_of_the_published_steps_and_how_far_it_is_from_the_paper():
    records = {"zero_dce": synthetic.record("zero_dce")}
    cell = {"chain": "zero_dce", "metric": "PSNR", "protocol": "paper", "track": "retrained"}
    cell |= {"dataset": "LOL", "reported": 15.67}
    cells = pd.DataFrame(
        [cell | {"qf": 90, "difference": -0.06}, cell | {"qf": 80, "difference": 1}]
    )
    (line,) = training.trained({"zero_dce": synthetic.log(0)}, records, cells)
    assert line.share == "10.00% of 400"
    assert line.shortfall == "LOL −0.06 (QF 90), +1.00 (QF 80) dB"
    (line,) = training.trained(
        {"zero_dce": synthetic.log(0)}, records, cells.assign(difference=None)
    )
    assert line.shortfall == "other data than the paper's"
    (line,) = training.trained({"zero_dce": synthetic.log(0)}, records, cells.assign(reported=None))
    assert line.shortfall == "not in the paper"


def test_nested_values_are_listed_by_their_path():
    assert pages.flat({"a": {"b": 1}, "c": "d"}) == [("a / b", "1"), ("c", "d")]


def test_a_missing_training_log_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, synthetic.profile())
    (params.results / "training" / "edsr.csv").unlink()
    with pytest.raises(load.InputError, match=r"edsr\.csv: run `dvc repro`"):
        load.logs(params)


def test_a_log_of_several_parts_is_one_log_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, synthetic.profile())
    path = params.results / "training" / "edsr.csv"
    parts = ["noise", "noise", "model"]
    pd.DataFrame({"part": parts, "step": [1, 2, 1]}).to_csv(path, index=False)
    found = load.logs(params)
    assert found["edsr_noise"]["step"].tolist() == [1, 2]
    assert found["edsr"]["step"].tolist() == [1]


def scope(params: Params) -> grid.Scope:
    return grid.Scope(synthetic.records(params), ["LOL", "SICE"])


def empty_cells() -> pd.DataFrame:
    from benchmark.tables import cells as tables

    return pd.DataFrame(columns=tables.CHAIN_COLUMNS)


def pages_rule(**changes: Any) -> str:
    from benchmark.figures import report_images

    return report_images.rule(synthetic.profile(**changes))


def test_embedded_text_cannot_end_its_script():
    made = payload.script({"a": "</script><!--\u2028"})
    assert not re.search(r"[<>\u2028]", made)
    assert json.loads(made) == {"a": "</script><!--\u2028"}


def test_infinite_and_missing_values_have_words_in_json():
    params = synthetic.profile(chains=["gamma"], detection=NO_FACES)
    cells = pd.DataFrame(
        [("gamma", "LOL", None, "PSNR", "sound", "classical", 3, float("inf"))],
        columns=["chain", "dataset", "qf", "metric", "protocol", "track", "n", "value"],
    ).assign(ci_low=None, ci_high=None, reported=None, difference=None)
    (cell,) = payload.results(cells, scope(params))["cells"]
    assert cell[5:] == ["inf", None, None, 3, None, None]


NO_FACES = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}


def test_markdown_becomes_part_of_the_page_without_its_title_links_and_markup():
    text = "# Title\n\n## Part\n\n<b>x</b> [in](#part) [out](https://example.org)\n"
    made = markdown.markdown(text, "Claims")
    assert "Title" not in made
    assert "<h4>Part</h4>" in made
    assert "&lt;b&gt;x" in made
    assert "#part" not in made
    assert '<a href="https://example.org">out</a>' in made


def test_tables_of_markdown_scroll_and_align_by_class():
    text = "| a | b |\n| :-- | --: |\n| x | 1 |\n\n| c |\n| - |\n| y |\n"
    made = markdown.markdown(text, "Claims")
    assert 'aria-label="Claims, table 1"><table>' in made
    assert 'aria-label="Claims, table 2"><table>' in made
    assert made.count("</table></div>") == 2
    assert '<td class="number">1</td>' in made
    assert '<th scope="col">a</th>' in made
    assert "style" not in made


def test_numbers_as_a_table_stand_right_and_gaps_are_dashes():
    frame = pd.DataFrame({"name": ["<a>"], "seconds": [1.5], "memory": [float("nan")]})
    made = markdown.table(frame, "Costs")
    assert "<td>&lt;a&gt;</td>" in made
    assert '<td class="number">1.5</td><td class="number">—</td>' in made


def test_a_page_that_was_not_made_names_the_command_that_makes_it(tmp_path):
    found = markdown.read("Claims", tmp_path / "claims.md", "mlsm-bench claims", tmp_path)
    assert found.file == ""
    assert "<code>mlsm-bench claims</code> makes it" in found.body


def test_pages_of_other_commands_are_found_beside_the_report(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "claims.md").write_text("# Claims\n\nIt holds.\n")
    (tmp_path / "tables" / "statistics_ranks.md").write_text("# Ranks\n\nFirst.\n")
    (tmp_path / "costs.csv").write_text("name,seconds\nlime,2\n")
    found = sources.documents(tmp_path, "demo")
    assert "It holds." in found["claims"][0].body
    assert [one.title for one in found["statistics"]] == ["Statistics ranks"]
    assert found["costs"][0].file == "costs.csv"


def test_every_finding_of_the_audit_is_in_the_page_and_its_list_leads_there(page):
    found = sources.findings()
    assert len(found) > 10
    links = {link["href"] for link in page.all("a")}
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for finding in found:
        assert f"#finding-{finding.key}" in links
        assert f"finding-{finding.key}" in ids
    assert "16 of 720" in page.text["audit"]


def test_a_figure_of_another_stage_brings_its_own_words(tmp_path):
    (tmp_path / "a.png").write_bytes(PIXEL)
    (tmp_path / "fig_3.png").write_bytes(PIXEL)
    (tmp_path / "fig_3.json").write_text('{"alt": "Faces.", "caption": "Fig. 3."}')
    found = captions.pictures(tmp_path, [("a", "What a shows.", "A.")])
    assert [(one.name, one.alt, one.caption) for one in found] == [
        ("a", "What a shows.", "A."),
        ("fig_3", "Faces.", "Fig. 3."),
    ]


def test_figures_that_come_in_several_say_what_they_show_and_where_the_numbers_are(tmp_path):
    (tmp_path / "quality_cost_retrained.png").write_bytes(PIXEL)
    (found,) = captions.pictures(tmp_path, [])
    assert "stand as numbers under Costs" in found.alt
    assert found.caption.startswith("Quality against cost (quality cost retrained)")
