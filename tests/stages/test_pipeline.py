"""dvc.yaml: every stage takes the digest of its own code, and all profiles share one definition."""

import re
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from benchmark import ROOT
from benchmark.core import params

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PROFILES = ["demo", "lol", "faces", "paper"]
CODE = "data/work/${profile}/code.json"
ALWAYS = {"code", "inventory_of"}
"""Stages that look at what DVC does not watch: the code, and the user's own data."""


USES = {
    "score": ["scored"],
    "perceive": ["perceived"],
    "detect": ["detected"],
}
"""Stages that run again for their own chains alone."""


def module_of(name: str) -> str:
    return re.search(r"-m ((?:benchmark\.stages|studies)\.\w+)", STAGES[name]["cmd"])[1]


def keys(name: str) -> dict[str, list[str]]:
    """Return params file -> the keys of it that a stage depends on."""
    return {file: own for entry in STAGES[name].get("params", []) for file, own in entry.items()}


def test_the_pipeline_reads_as_a_method_section():
    text = (ROOT / "dvc.yaml").read_text()
    assert len(text.splitlines()) <= 300
    assert not re.search(r"\.py\b", text)
    for name in STAGES:
        before = text[: text.index(f"\n  {name}:\n")].splitlines()[-1]
        assert before.startswith("  # "), f"{name} has no sentence"


def test_no_key_stands_twice():
    """DVC refuses what PyYAML lets pass."""
    YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())


@pytest.mark.parametrize("name", [name for name in STAGES if name != "code"])
def test_a_stage_depends_on_the_digest_of_the_module_that_it_runs(name):
    assert f"stages.{module_of(name).rpartition('.')[2]}" in keys(name)[CODE]


@pytest.mark.parametrize("name", STAGES)
def test_only_stages_that_look_at_what_dvc_does_not_watch_run_every_time(name):
    assert STAGES[name].get("always_changed", False) == (name in ALWAYS)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_from_the_root_with_its_profile(name):
    assert STAGES[name]["wdir"] == "${root}"
    assert "--params ${params_file}" in STAGES[name]["cmd"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmark" / "stages").glob("*.py")), ids=lambda p: p.stem
)
def test_a_stage_module_is_short(path):
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_a_link_beside_its_own_params(profile):
    path = params.profile_path(profile)
    found = params.load(path)
    assert found.profile == profile
    assert (ROOT / found.params_file).resolve() == path.resolve()
    assert (path.parent / found.root).resolve() == ROOT
    assert (path.parent / "dvc.yaml").resolve() == ROOT / "dvc.yaml"
    if profile != "demo":
        assert (path.parent / "dvc.yaml").is_symlink()


def test_training_never_depends_on_test_images():
    deps = STAGES["train"]["deps"]
    assert not [dep for dep in deps if "/test" in dep or "inventory" in dep]


def test_the_faces_profile_trains_nothing_and_uses_the_weights_of_another():
    found = params.load(params.profile_path("faces"))
    assert (found.training, found.merge.test) == ({}, [])
    assert found.weights == ROOT / "weights" / "lol"


def test_the_faces_profile_has_every_row_of_the_papers_table():
    from benchmark import methods
    from benchmark.core import reported

    printed = reported.cells(("VII",))[["method", "order"]]
    chains = [methods.Chain.parse(c) for c in params.load(params.profile_path("faces")).every_chain]
    ours = {(chain.title, chain.order) for chain in chains}
    assert set(printed.itertuples(index=False, name=None)) <= ours


@pytest.mark.parametrize("profile", ["demo", "lol", "paper"])
def test_every_learned_method_of_a_profile_is_trained_by_it(profile):
    from benchmark import methods

    found = params.load(params.profile_path(profile))
    learned = set()
    for text in found.every_chain:
        learned |= {step.name for step in methods.Chain.parse(text).plugins if step.learned}
    assert learned == {*found.training}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_holds_every_setting_that_a_stage_depends_on(profile):
    content = yaml.safe_load(params.profile_path(profile).read_text(encoding="utf-8"))
    switched = {"understanding": "understanding", "limits": "limits"}
    used = [name for name in STAGES if content["studies"].get(switched.get(name, ""), [1])]
    named = {key for name in used for key in keys(name).get("${params_file}", [])}
    assert "detection.chains" in named
    for dotted in named:
        found = content  # DVC refuses a stage whose setting is left to its default
        for key in dotted.split("."):
            assert key in found, f"{profile} lacks {dotted}"
            found = found[key]


@pytest.mark.parametrize("name", USES)
def test_a_stage_that_runs_chains_depends_on_its_own_and_on_no_others(name):
    assert keys(name)["data/work/${profile}/chain_digests.json"] == USES[name]
    assert not any("chains.json" in dep for dep in STAGES[name]["deps"])
    assert "chains" not in keys(name)["${params_file}"] or name == "score"


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("**/dvc.lock")), ids=lambda path: path.parent.name
)
def test_a_lock_file_holds_stages_of_the_pipeline_alone(path):
    """DVC keeps those that went, and reads and writes the whole file at every stage."""
    for name in yaml.safe_load(path.read_text())["stages"]:
        stage, _, item = name.partition("@")
        assert stage in STAGES
        assert bool(item) == ("matrix" in STAGES[stage])
