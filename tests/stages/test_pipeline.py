"""dvc.yaml: dependencies are the import graph's, profiles share one definition."""

import re
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from ruamel.yaml import YAML

from benchmark import ROOT
from benchmark.core import params


def read(path: Path) -> dict[str, dict[str, Any]]:
    stages = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in stages.items()}


STAGES = read(ROOT / "dvc.yaml")
FACES = read(ROOT / "profiles" / "faces" / "dvc.yaml")
EVERY = {**STAGES, **{f"faces profile: {name}": stage for name, stage in FACES.items()}}
PROFILES = ["demo", "lol", "paper"]


def test_no_key_stands_twice():
    """DVC refuses what PyYAML lets pass."""
    YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    packages = ("benchmark", "mlsm", "studies")
    return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)


def sources(graph: grimp.ImportGraph, module: str) -> set[str]:
    """Return the files of a module and of all it imports of the suite."""
    modules = {module, *graph.find_upstream_modules(module)}
    parents = {name.rpartition(".")[0] for name in modules} - {""}
    return {file_of(name) for name in modules | parents}


def file_of(module: str) -> str:
    path = Path(*module.split("."))
    return str(path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py"))


def module_of(name: str) -> str:
    return re.search(r"-m ((?:benchmark\.stages|studies)\.\w+)", EVERY[name]["cmd"])[1]


@pytest.mark.parametrize("name", EVERY)
def test_a_stage_depends_on_exactly_the_modules_it_imports(graph, name):
    stage = EVERY[name]
    module = module_of(name)
    needed = sources(graph, module)
    suite = re.compile(r"(benchmark|mlsm|studies)/.*\.py$")
    named = {dep for dep in stage.get("deps", []) if suite.match(dep)}
    listing = "\n".join(f"      - {path}" for path in sorted(needed))
    assert named == needed, f"{name}: dvc.yaml must name\n{listing}"


@pytest.mark.parametrize("name", EVERY)
def test_a_stage_runs_from_the_root_with_its_profile(name):
    assert EVERY[name]["wdir"] == "${root}"
    assert "--params ${params_file}" in EVERY[name]["cmd"]


@pytest.mark.parametrize("name", [n for n in STAGES if "-m studies." not in STAGES[n]["cmd"]])
def test_every_stage_module_is_short(name):
    module = module_of(name)
    assert len((ROOT / file_of(module)).read_text().splitlines()) <= 60


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
    for name in ("train", "vae", "mapping"):
        deps = STAGES[name]["deps"]
        assert not [dep for dep in deps if "/test" in dep or "inventory" in dep]


def test_the_faces_profile_has_a_pipeline_of_its_own_for_it_trains_nothing():
    path = params.profile_path("faces")
    found = params.load(path)
    assert (found.profile, found.training, found.mlsm, found.merge.test) == ("faces", {}, None, [])
    assert (ROOT / found.params_file).resolve() == path.resolve()
    assert found.weights == ROOT / "weights" / "lol"
    assert set(FACES) <= set(STAGES)


def test_the_faces_profile_has_every_row_of_the_papers_table():
    from benchmark import methods
    from benchmark.core import reported

    printed = reported.cells(("VII",))[["method", "order"]]
    chains = [methods.Chain.parse(c) for c in params.load(params.profile_path("faces")).every_chain]
    ours = {(chain.title, chain.order) for chain in chains}
    assert set(printed.itertuples(index=False, name=None)) <= ours


@pytest.mark.parametrize("profile", PROFILES)
def test_every_part_of_a_profile_is_a_method_that_exists(profile):
    from benchmark import methods

    found = params.load(params.profile_path(profile))
    learned = set()
    for text in found.every_chain:
        learned |= {step.name for step in methods.Chain.parse(text).plugins if step.learned}
    assert learned == {*found.training, "mlsm"}


@pytest.mark.parametrize("profile", [*PROFILES, "faces"])
def test_a_profile_holds_every_setting_that_a_stage_depends_on(profile):
    content = yaml.safe_load(params.profile_path(profile).read_text(encoding="utf-8"))
    stages = FACES if profile == "faces" else STAGES
    entries = [entry for stage in stages.values() for entry in stage.get("params", [])]
    named = {key for entry in entries for key in entry.get("${params_file}", [])}
    assert "detection.chains" in named
    for dotted in {key for key in named if "${" not in key}:
        found = content  # DVC refuses a stage whose setting is left to its default
        for key in dotted.split("."):
            assert key in found, f"{profile} lacks {dotted}"
            found = found[key]
