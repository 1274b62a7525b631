"""Under which name the results of a chain are found again."""

import dataclasses

import pytest

from benchmark.core.errors import InputError
from benchmark.methods import records
from benchmark.methods.records import ChainRecord
from benchmark.scoring import plan, score
from tests.helpers import synthetic_results as synthetic

NO_FACES = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}
CHAINS = ["edsr+zero_dce", "zero_dce+edsr", "gamma", "gamma+gamma"]


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    monkeypatch.setattr("benchmark.scoring.plan.ROOT", tmp_path)
    chosen = synthetic.profile(chains=CHAINS, detection=NO_FACES)
    chosen.work.mkdir(parents=True)
    records.write(chosen.work, {chain: record(chain) for chain in CHAINS})
    return chosen


def record(chain):
    made = synthetic.record(chain)
    return dataclasses.replace(made, settings={track: {} for track in made.tracks})


def name(params, chain, track="retrained", kind="scores", code=score.__name__, *depends):
    return plan.journal(params, chain, track, kind, code, *depends).path.name


def test_no_two_chains_share_results(params):
    """Two orders are made of the same methods, and a method may stand twice."""
    assert name(params, "edsr+zero_dce") != name(params, "zero_dce+edsr")
    assert name(params, "gamma", "classical") != name(params, "gamma+gamma", "classical")


def test_results_follow_from_code_weights_settings_and_what_else_is_named(params):
    chain, found = "zero_dce+edsr", record("zero_dce+edsr")
    before = name(params, chain)
    edited = dataclasses.replace(found.steps["edsr"], code="another")
    others: list[ChainRecord] = [
        dataclasses.replace(found, steps=found.steps | {"edsr": edited}),
        dataclasses.replace(found, tracks=found.tracks | {"retrained": {"edsr": "0" * 64}}),
        dataclasses.replace(found, settings=found.settings | {"retrained": {"edsr": {"width": 3}}}),
    ]
    for other in others:
        records.write(params.work, {chain: other})
        assert name(params, chain) != before
    records.write(params.work, {chain: dataclasses.replace(found, title="Spelled otherwise")})
    assert name(params, chain) == before
    assert name(params, chain, "released") != before
    assert name(params, chain, "retrained", "scores", score.__name__, "detector") != before
    assert name(params, chain, "retrained", "scores", "benchmark.scoring.perception") != before


def test_a_chain_that_the_profile_lacks_is_refused(params):
    with pytest.raises(InputError, match="has no chain 'lime'"):
        name(params, "lime")
