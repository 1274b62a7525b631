"""One digest of code: what can move a number changes it, and nothing else does."""

import subprocess
import sys

import pytest

from benchmark import ROOT
from benchmark.core import code_digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package elsewhere: two method files that share a module, and a package that hands on."""
    folder = tmp_path / "elsewhere"
    (folder / "inner").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "shared.py": "EXPONENT = 0.5\n",
        "other.py": "EXPONENT = 0.7\n",
        "first.py": "from elsewhere.shared import EXPONENT\n\nprint(EXPONENT)\n",
        "second.py": "import numpy\nfrom benchmark.core.images import to_float\n\nto_float\n",
        "inner/__init__.py": "from elsewhere.inner.made import MADE\nfrom elsewhere.other import "
        "EXPONENT\n",
        "inner/made.py": "MADE = 1\n",
        "third.py": "from elsewhere.inner import MADE\n\nprint(MADE)\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("elsewhere")]:
        del sys.modules[name]


def digest(*modules):
    code_digest.forget()
    return code_digest.of(*modules)


def test_an_edit_changes_the_digest_of_its_own_module_alone(package):
    first, second = digest("elsewhere.first"), digest("elsewhere.second")
    (package / "second.py").write_text("import numpy\n\nprint(2)\n")
    assert digest("elsewhere.first") == first
    assert digest("elsewhere.second") != second


def test_an_edit_of_an_imported_module_counts(package):
    first, second = digest("elsewhere.first"), digest("elsewhere.second")
    (package / "shared.py").write_text("EXPONENT = 0.6\n")
    assert digest("elsewhere.first") != first
    assert digest("elsewhere.second") == second


def test_an_import_inside_a_function_counts(package):
    text = "def run():\n    from elsewhere.shared import EXPONENT\n    return EXPONENT\n"
    (package / "first.py").write_text(text)
    before = digest("elsewhere.first")
    (package / "shared.py").write_text("EXPONENT = 0.6\n")
    assert digest("elsewhere.first") != before


def test_an_import_for_type_checkers_does_not_count(package):
    (package / "first.py").write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from elsewhere import shared\n"
        "\n\ndef run(what: 'shared.Kind'):\n    return what\n"
    )
    before = digest("elsewhere.first")
    (package / "shared.py").write_text("EXPONENT = 0.6\n")
    assert digest("elsewhere.first") == before


def test_where_a_module_lies_does_not_count(package):
    before = digest("elsewhere.first")
    (package / "inner" / "shared.py").write_text((package / "shared.py").read_text())
    (package / "shared.py").unlink()
    moved = "from elsewhere.inner.shared import EXPONENT\n\nprint(EXPONENT)\n"
    (package / "first.py").write_text(moved)
    assert digest("elsewhere.first") == before


def test_the_same_name_from_another_module_counts(package):
    both = "from elsewhere.shared import EXPONENT\nfrom elsewhere.other import EXPONENT as E\n"
    (package / "first.py").write_text(both + "\nprint(EXPONENT, E)\n")
    before = digest("elsewhere.first")
    swapped = "from elsewhere.other import EXPONENT\nfrom elsewhere.shared import EXPONENT as E\n"
    (package / "first.py").write_text(swapped + "\nprint(EXPONENT, E)\n")
    assert digest("elsewhere.first") != before


def test_of_a_package_that_hands_names_on_only_the_wanted_one_is_followed(package):
    before = digest("elsewhere.third")
    (package / "other.py").write_text("EXPONENT = 0.8\n")
    assert digest("elsewhere.third") == before
    (package / "inner" / "made.py").write_text("MADE = 2\n")
    assert digest("elsewhere.third") != before


def test_of_a_package_taken_whole_the_names_behind_its_dots_are_followed(package):
    (package / "third.py").write_text("from elsewhere import inner\n\nprint(inner.MADE)\n")
    before = digest("elsewhere.third")
    (package / "other.py").write_text("EXPONENT = 0.8\n")
    assert digest("elsewhere.third") == before
    (package / "inner" / "made.py").write_text("MADE = 2\n")
    assert digest("elsewhere.third") != before


def test_the_version_of_a_library_that_is_imported_counts(package, monkeypatch):
    first, second = digest("elsewhere.first"), digest("elsewhere.second")
    code = code_digest.code("elsewhere.second")
    found = code_digest.importlib.metadata.version
    monkeypatch.setattr(
        code_digest.importlib.metadata,
        "version",
        lambda name: "9" if name == "numpy" else found(name),
    )
    assert digest("elsewhere.first") == first
    assert digest("elsewhere.second") != second
    assert code_digest.code("elsewhere.second") == code


def test_the_papers_method_is_followed_into_its_package():
    assert "mlsm.mapping" in code_digest.closure("baselines.mlsm")
    assert digest("baselines.mlsm") != digest("baselines.gamma")


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"benchmark\.nowhere"):
        digest("benchmark.nowhere")


def test_scores_depend_on_the_encoder_the_metrics_and_the_assembly_but_not_on_readers():
    found = set(code_digest.closure("benchmark.scoring.score"))
    assert {
        "benchmark.core.jpeg",
        "benchmark.scoring.metrics",
        "benchmark.methods.assemble",
        "benchmark.scoring.jobs",
    } <= found
    assert not found & {
        "benchmark.data.readers",
        "benchmark.data.registry",
        "benchmark.core.params",
    }


SOURCE = '''"""A module."""
# why
def half(x):
    """Return half.

    Of x.
    """
    return x / 2  # not //

TEXT = "# no comment"
'''


def essence(source):
    return code_digest._parse(source, "benchmark", code_digest.PACKAGES).text


def test_comments_and_docstrings_are_not_what_a_module_does():
    bare = 'def half(x):\n    return x / 2\nTEXT = "# no comment"'
    assert essence(SOURCE) == bare


def test_a_docstring_beside_code_takes_only_itself_away():
    assert essence('def f(): "ü"; return 1  # é') == "def f(): ; return 1"


def test_what_is_left_of_a_module_of_the_suite_still_differs_by_code():
    source = (ROOT / "benchmark" / "training" / "loop.py").read_text(encoding="utf-8")
    assert essence(source) != essence(source.replace("step % every", "step"))
    assert essence(source) == essence(source.replace("# ", "# again "))


def test_the_digest_is_the_same_in_another_process():
    code = (
        "from benchmark.core import code_digest; print(code_digest.of('benchmark.scoring.score'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == digest("benchmark.scoring.score")
