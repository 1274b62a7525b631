"""Claims of the paper's text: their language, and verdicts on numbers whose truth is known."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmark import ROOT
from benchmark.cli.main import app
from benchmark.core.errors import InputError
from benchmark.paper.claims import judge, page, run, schema, sources
from benchmark.paper.claims.face_sources import FaceCurves
from benchmark.paper.claims.schema import Claim
from benchmark.paper.claims.sources import Difference, Key, Place
from benchmark.tables import cells, competitors, load
from tests.helpers import synthetic_results as synthetic

CLAIMS = {claim.key: claim for claim in schema.read()}
TEXT = " ".join((ROOT / "tests" / "reference" / "paper_text.txt").read_text("utf-8").split())


class Given:
    """A source in which every difference is the same."""

    def __init__(self, found: Difference | None) -> None:
        self.found = found

    def ahead(self, ours: Key, theirs: Key, at: Place, by: float) -> Difference | None:
        return self.found

    def loss(self, row: Key, at: Place) -> Difference | None:
        return self.found

    def recall(self, ours: Key, theirs: Key, asked: object) -> Difference | None:
        return self.found


@pytest.mark.parametrize("key", CLAIMS)
def test_every_quote_stands_in_the_papers_text(key):
    assert CLAIMS[key].quote in TEXT


@pytest.mark.parametrize(
    ("key", "word", "against", "comparisons"),
    [
        ("state-of-the-art", judge.FAILS, 16, 720),
        ("enhancers", judge.FAILS, 1, 288),
        ("deblocked-after-lol-lsrw", judge.FAILS, 1, 144),
        ("deblocked-after-sice", judge.FAILS, 1, 48),
        ("deblocked-first-lol", judge.HOLDS, 0, 36),
        ("deblocked-first-lsrw", judge.HOLDS, 0, 72),
        ("mapping-helps", judge.HOLDS, 0, 9),
        ("two-levels-better", judge.FAILS, 4, 9),
        ("three-levels-best", judge.HOLDS, 0, 12),
        ("two-levels-psnr-b", judge.HOLDS, 0, 2),
        ("faces-best", judge.HOLDS, 0, 40),
        ("training-images", judge.FAILS, 1, 1),
        ("training-pairs", judge.HOLDS, 0, 1),
        ("latent-distance", judge.HOLDS, 0, 1),
        ("compression-hurts", judge.UNMEASURED, 0, 192),
        ("faces-high-recall", judge.UNMEASURED, 0, 20),
        ("details-distorted", judge.BY_EYE, 0, 0),
    ],
)
def test_the_papers_own_tables_say_of_a_claim(key, word, against, comparisons):
    found = judge.judge(CLAIMS[key], sources.Printed())
    assert (found.means.word, found.means.against) == (word, against)
    assert found.means.comparisons == comparisons
    assert found.sure is None


@pytest.mark.parametrize(
    ("found", "means", "sure"),
    [
        (Difference(1.0, 0.5, 1.5, 0.001, 15), judge.HOLDS, judge.HOLDS),
        (Difference(1.0, -0.2, 2.0, 0.2, 15), judge.HOLDS, judge.OPEN),
        (Difference(-1.0, -2.0, 0.2, 0.2, 15), judge.FAILS, judge.OPEN),
        (Difference(-1.0, -2.0, -0.5, 1e-6, 15), judge.FAILS, judge.FAILS),
        (Difference(1.0, 0.9, 1.1, 0.0, 4), judge.HOLDS, judge.OPEN),
    ],
)
def test_intervals_and_tests_decide_what_means_alone_cannot(found, means, sure):
    outcome = judge.judge(CLAIMS["deblocked-first-lol"], Given(found))
    assert (outcome.means.word, outcome.sure.word) == (means, sure)


def test_a_violation_must_survive_the_correction_for_many_comparisons():
    found = Difference(-1.0, -2.0, -0.5, 0.01, 15)  # 36 comparisons
    assert judge.judge(CLAIMS["deblocked-first-lol"], Given(found)).sure.word == judge.OPEN


def test_what_nobody_measured_has_no_verdict():
    outcome = judge.judge(CLAIMS["enhancers"], Given(None))
    assert outcome.means.word == judge.UNMEASURED
    assert outcome.sure is None


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return the small made-up run, judged."""
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.core.params.ROOT", root)
        params = synthetic.write(root, synthetic.profile(bootstrap=100))
        made = load.image_rows(params)
        records = synthetic.records(params)
        field = competitors.fields(records)[0]
        resampling = cells.BootstrapSettings(1, 100)
        (truth,) = load.truth(params).values()
        curves = FaceCurves(truth, load.found(params), field, resampling)
        return sources.Measured(made, records, field, resampling, curves)


def test_a_run_is_compared_image_by_image_where_it_has_the_rows(measured):
    at = Place("LOL", 90, "PSNR")
    found = measured.ahead(Key("MLSM", "joint"), Key("LIME", "enhance"), at, 0.5)
    assert found.value == pytest.approx(9.5)
    assert found.images == synthetic.IMAGES
    assert measured.ahead(Key("MLSM", "joint"), Key("RUAS", "enhance"), at, 0.0) is None
    assert (
        measured.ahead(Key("MLSM", "joint"), Key("LIME", "enhance"), at._replace(qf=80), 0) is None
    )


def test_what_compression_costs_is_measured_against_the_uncompressed_image(measured):
    found = measured.loss(Key("LIME", "enhance"), Place("LOL", 90, "PSNR"))
    assert found.value == pytest.approx(0.1)  # 100 / 100 less 90 / 100


def test_the_ablations_full_method_is_the_main_chain(measured):
    key, other = Key("MLSM three-level", "joint"), Key("LIME", "enhance")
    assert measured.ahead(key, other, Place("LOL", 90, "PSNR"), 0.0).value == pytest.approx(10.0)


def test_a_better_detector_input_is_ahead_in_precision_and_at_high_recall(measured):
    ours, theirs = Key("MLSM", "joint"), Key("Gamma", "enhance")
    ap = measured.ahead(ours, theirs, Place("DARK FACE", 90, "mAP@0.7"), 0.0)
    assert ap.low <= ap.value <= ap.high
    assert ap.value > 0  # its boxes are drawn with less noise
    recall = measured.recall(ours, theirs, CLAIMS["faces-high-recall"].predicate)
    assert -1.0 <= recall.value <= 1.0
    same = measured.recall(ours, ours, CLAIMS["faces-high-recall"].predicate)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_the_page_links_every_claim_and_gives_each_verdict_its_reason(measured):
    found = page.records(list(CLAIMS.values()), {"retrained": measured})
    text = page.markdown("Title", found)
    for key in CLAIMS:
        assert f"[{key}](#{key})" in text
        assert f"## {key}" in text
    assert "does not hold (16 of 720)" in text
    assert json.loads(json.dumps(found)) == found


def test_the_command_judges_committed_results_without_the_pipelines_files():
    done = CliRunner().invoke(app, ["claims", "--profile", "lol", "--json"])
    assert done.exit_code == 0
    found = {record["key"]: record for record in json.loads(done.stdout)}
    assert found["state-of-the-art"]["verdicts"]["paper"]["means"]["against"] == 16
    assert found["enhancers"]["verdicts"]["retrained"]["means"]["measured"] > 0


def test_a_profile_without_results_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    with pytest.raises(InputError, match="run `dvc repro`"):
        run.judged(synthetic.profile())


@pytest.mark.parametrize(
    "content",
    [
        "- {key: a, section: I, quote: ten letters, reading: ten letters, predicate: {kind: odd}}",
        "- key: a\n  section: I\n  quote: ten letters\n  reading: ten letters\n"
        "  predicate: {kind: ahead, subject: {}, rivals: {methods: [A]}, columns: "
        "{tables: [III], metrics: [PSNR]}}",
        "key: a",
        "- [",
    ],
)
def test_claims_that_break_the_language_are_refused(tmp_path, content):
    path = tmp_path / "claims.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="does not hold claims"):
        schema.read(path)


def test_two_claims_of_one_name_are_refused(tmp_path):
    one = (
        "- {key: a, section: I, quote: ten letters, reading: ten letters, predicate: {kind: seen}}"
    )
    path = tmp_path / "claims.yaml"
    path.write_text(f"{one}\n{one}\n", encoding="utf-8")
    with pytest.raises(InputError, match="names a twice"):
        schema.read(path)


def test_rows_are_those_that_the_tables_print_in_an_order():
    claim: Claim = CLAIMS["state-of-the-art"]
    rivals = sources.keys(claim.predicate.rivals, claim.predicate.columns)
    assert len(rivals) == 20
    assert Key("MLSM", "joint") not in rivals
    assert pd.Series(rivals).is_unique
    assert np.isnan(Difference(1.0).p)
