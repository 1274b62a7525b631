"""Records of methods and chains, and what a machine says of itself."""

import json
from dataclasses import replace

import pytest

from benchmark import ROOT
from benchmark.core import environment
from benchmark.core.errors import InputError
from benchmark.data import manifest
from benchmark.methods import Chain, checkpoints, records
from benchmark.methods.records import Budget
from tests.helpers import synthetic_results as synthetic


def test_a_classical_chain_has_one_track_and_no_weights(tmp_path):
    record = records.chain_record(Chain(("gamma",)), ("classical", "retrained"), tmp_path)
    assert record.tracks == {"classical": {}}
    assert record.absent == {}


def test_absent_weights_are_a_reason_not_a_gap(tmp_path):
    record = records.chain_record(Chain(("edsr",)), ("retrained", "released"), tmp_path)
    assert record.tracks == {}
    assert "no trained weights" in record.absent["retrained"]
    assert "no released weights" in record.absent["released"]


def test_new_weights_change_the_record_of_their_chains(tmp_path):
    def record():
        return records.chain_record(Chain(("zero_dce", "edsr")), ("retrained",), tmp_path)

    for name in ("zero_dce", "edsr"):
        checkpoints.save(tmp_path / f"{name}.pt", checkpoints.Checkpoint(name, "model", {}, {}))
    before = record()
    assert before.order == "enhance+deblock"
    checkpoints.save(
        tmp_path / "edsr.pt", checkpoints.Checkpoint("edsr", "model", {"width": 8}, {})
    )
    assert record() != before


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    with pytest.raises(InputError, match="run `dvc repro`"):
        records.read(tmp_path)
    known = {chain: synthetic.record(chain) for chain in ("gamma", "edsr+zero_dce", "mlsm")}
    records.write(tmp_path, known)
    assert records.read(tmp_path) == known
    stored = json.loads((tmp_path / records.FILE).read_text())
    assert stored["edsr+zero_dce"]["budgets"] == {"zero_dce": Budget(40, 400)._asdict()}


def test_the_digest_of_a_use_moves_with_its_own_chains_alone(tmp_path):
    known = {chain: synthetic.record(chain) for chain in ("gamma", "lime", "mlsm")}

    def digests(scored, perceived):
        uses = {"scored": scored, "perceived": perceived}
        chosen = {use: {chain: known[chain] for chain in chains} for use, chains in uses.items()}
        records.write_digests(tmp_path, chosen)
        return json.loads((tmp_path / records.DIGESTS).read_text())

    first = digests(["gamma"], ["mlsm"])
    second = digests(["gamma", "lime"], ["mlsm"])
    assert first["perceived"] == second["perceived"]
    assert first["scored"] != second["scored"]


@pytest.mark.parametrize("profile", ["demo", "faces", "lol"])
def test_records_of_committed_results_keep_their_form(profile):
    stored = json.loads((ROOT / "results" / profile / "provenance.json").read_text())["chains"]
    assert records.to_plain(records.from_plain(stored)) == stored


def test_a_table_of_one_track_shows_chains_without_weights_and_says_what_it_lacks():
    gamma, mlsm = synthetic.record("gamma"), synthetic.record("mlsm")
    assert (gamma.track_under("released"), gamma.absence("released")) == ("classical", "")
    assert (mlsm.track_under("released"), mlsm.absence("released")) == (
        "released",
        synthetic.NO_RELEASE,
    )
    assert mlsm.absence("retrained") == ""
    unasked = replace(mlsm, absent={})
    assert unasked.absence("released") == "the profile does not score it"


def test_printed_names_of_chains_lead_back_to_them():
    known = {chain: synthetic.record(chain) for chain in ("edsr+zero_dce", "zero_dce+edsr")}
    assert records.by_printed_name(known) == {
        ("EDSR+Zero-DCE", "deblock+enhance"): "edsr+zero_dce",
        ("Zero-DCE+EDSR", "enhance+deblock"): "zero_dce+edsr",
    }


def test_tracks_without_a_learned_chain_have_no_table():
    gamma, mlsm = synthetic.record("gamma"), synthetic.record("mlsm")
    assert records.shown_tracks({"gamma": gamma}) == ["classical"]
    assert records.shown_tracks({"gamma": gamma, "mlsm": mlsm}) == ["retrained"]


def test_controls_are_told_the_answer_or_say_so():
    oracle = synthetic.method("Oracle gain", "enhancer", needs="reference")
    gamma = synthetic.record("gamma")
    told = replace(gamma, steps={"oracle_gain": oracle})
    assert told.uses_reference
    assert told.is_control
    assert not gamma.is_control
    named = replace(gamma.steps["gamma"], cite="a control")
    identity = replace(gamma, steps={"identity": named})
    assert identity.is_control
    assert not identity.uses_reference


def test_a_record_states_what_sets_its_methods_apart_from_their_published_forms():
    record = synthetic.record("gamma+zero_dce")
    record = replace(record, settings={"retrained": {"gamma": {"exponent": 0.5}}})
    assert record.unlike_published("retrained") == [
        "Gamma: exponent 0.5",
        "Zero-DCE: trained for 40 of 400 published steps",
    ]
    assert record.unlike_published("released") == []


def test_the_environment_names_versions_and_the_encoder():
    found = environment.environment()
    assert found["jpeg"]["subsampling"] == "4:2:0"
    assert found["libraries"].keys() >= {"torch", "numpy", "pillow"}
    assert found["cpu"]
    assert found["vectors"]


def test_lists_of_images_are_told_by_their_content(tmp_path):
    for name in ("inventory/LOL", "merge/train/pairs", "merge/test/LOL", "jpeg/test/scores"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(name)
    before = manifest.manifests(tmp_path)
    assert [*before] == ["inventory/LOL", "merge/train/pairs", "merge/test/LOL"]
    (tmp_path / "merge" / "test" / "LOL.csv").write_text("another image")
    after = manifest.manifests(tmp_path)
    assert [name for name in before if before[name] != after[name]] == ["merge/test/LOL"]


def test_a_budget_says_how_long_on_how_many_images_and_whether_the_curve_was_flat():
    whole = Budget(400, 4000, images=460, minutes=31.4, schedule="until_flat", flat_at=300)
    assert whole.facts() == "460 images, 31 min, flat at 300"
    assert whole.words() == "trained for 400 of 4,000 published steps (460 images, flat at 300)"
    assert "not flat at the end" in whole._replace(flat_at=None).words()
    assert Budget(40, 400).words() == "trained for 40 of 400 published steps"
    assert Budget(400, 400).words() == ""
