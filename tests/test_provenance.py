"""Provenance: what a result depends on changes its digest, and nothing else does."""

import sys
from pathlib import Path

import grimp
import pytest

from benchmark import ROOT, methods, provenance, weights
from benchmark.digests import digest_values
from benchmark.methods import Chain


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two method files that share a module."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "shared.py").write_text("EXPONENT = 0.5\n")
    (folder / "first.py").write_text("from elsewhere.shared import EXPONENT\n")
    (folder / "second.py").write_text("import benchmark.methods\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("elsewhere")]:
        del sys.modules[name]


def digest(module):
    provenance.code_digest.cache_clear()
    return provenance.code_digest(module)


def test_an_edit_changes_the_digest_of_its_own_module_alone(package):
    first, second = digest("elsewhere.first"), digest("elsewhere.second")
    (package / "second.py").write_text("import benchmark.images\n")
    assert digest("elsewhere.first") == first
    assert digest("elsewhere.second") != second


def test_an_edit_of_an_imported_module_counts(package):
    first, second = digest("elsewhere.first"), digest("elsewhere.second")
    (package / "shared.py").write_text("EXPONENT = 0.6\n")
    assert digest("elsewhere.first") != first
    assert digest("elsewhere.second") == second


def test_the_paper_methods_digest_covers_its_package():
    source = (Path(methods.__file__).parents[1] / "mlsm" / "mapping.py").read_bytes()
    imports = set(provenance._imports(source, "mlsm"))
    assert any(name.startswith("mlsm.") for name in imports)
    assert digest("baselines.mlsm") != digest("baselines.gamma")


def test_what_only_methods_import_of_the_suite_counts(package, monkeypatch):
    (package / "second.py").write_text("from benchmark.perceptual import Trunk\n")
    with_trunk = digest("elsewhere.second")
    monkeypatch.setattr(provenance, "METHODS_OWN", frozenset())
    assert digest("elsewhere.second") != with_trunk


def test_no_stage_imports_what_is_counted_as_the_methods_own():
    graph = grimp.build_graph("benchmark", exclude_type_checking_imports=True, cache_dir=None)
    for module in provenance.METHODS_OWN:
        assert not graph.find_downstream_modules(module)


def test_a_classical_chain_has_one_track_and_no_weights(tmp_path):
    record = provenance.chain_record(Chain(("gamma",)), ("classical", "retrained"), tmp_path)
    assert record["tracks"] == {"classical": {}}
    assert record["absent"] == {}


def test_absent_weights_are_a_reason_not_a_gap(tmp_path):
    record = provenance.chain_record(Chain(("edsr",)), ("retrained", "released"), tmp_path)
    assert record["tracks"] == {}
    assert "no trained weights" in record["absent"]["retrained"]
    assert "no released weights" in record["absent"]["released"]


def test_new_weights_change_the_record_of_their_chains(tmp_path):
    def record():
        return provenance.chain_record(Chain(("zero_dce", "edsr")), ("retrained",), tmp_path)

    for name in ("zero_dce", "edsr"):
        weights.save(tmp_path / f"{name}.pt", weights.Checkpoint(name, "model", {}, {}))
    before = record()
    assert before["order"] == "enhance+deblock"
    weights.save(tmp_path / "edsr.pt", weights.Checkpoint("edsr", "model", {"width": 8}, {}))
    assert digest_values(record()) != digest_values(before)


def test_the_environment_names_versions_and_the_encoder():
    found = provenance.environment()
    assert found["jpeg"]["subsampling"] == "4:2:0"
    assert found["libraries"].keys() >= {"torch", "numpy", "pillow"}
    assert found["cpu"]
    assert found["vectors"]


def test_lists_of_images_are_told_by_their_content(tmp_path):
    for name in ("inventory/LOL", "merge/train/pairs", "merge/test/LOL", "jpeg/test/scores"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(name)
    before = provenance.manifests(tmp_path)
    assert [*before] == ["inventory/LOL", "merge/train/pairs", "merge/test/LOL"]
    (tmp_path / "merge" / "test" / "LOL.csv").write_text("another image")
    after = provenance.manifests(tmp_path)
    assert [name for name in before if before[name] != after[name]] == ["merge/test/LOL"]


SOURCE = """\"\"\"A module.\"\"\"
# why
def half(x):
    \"\"\"Return half.

    Of x.
    \"\"\"
    return x / 2  # not //

TEXT = "# no comment"
"""


def test_comments_and_docstrings_are_not_what_a_module_does():
    bare = 'def half(x):\n    return x / 2\nTEXT = "# no comment"'
    assert provenance.essence(SOURCE) == bare


def test_a_docstring_beside_code_takes_only_itself_away():
    assert provenance.essence('def f(): "ü"; return 1  # é') == "def f(): ; return 1"


def test_what_is_left_of_every_module_of_the_suite_still_differs_by_code():
    source = (ROOT / "benchmark" / "loop.py").read_text(encoding="utf-8")
    assert provenance.essence(source) != provenance.essence(source.replace("step % every", "step"))
    assert provenance.essence(source) == provenance.essence(source.replace("# ", "# again "))
