"""The names that `benchmark` offers to a notebook, and the examples in docstrings."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import benchmark
from benchmark import ROOT
from benchmark.core.errors import InputError

DARK = np.full((16, 24, 3), 12, np.uint8)


def with_examples():
    """Yield every module of the suite and of `mlsm` whose docstrings hold examples."""
    for package in ("benchmark", "mlsm"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("name", list(with_examples()))
def test_the_examples_in_docstrings_run(name):
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted
    assert done.failed == 0


def test_a_notebook_enhances_and_scores_in_two_lines():
    bright = benchmark.enhance(DARK)
    assert (bright.shape, bright.dtype) == (DARK.shape, np.float32)
    assert bright.mean() > DARK.mean() / 255
    values = benchmark.score(bright, DARK)
    assert {"psnr", "ssim", "psnr_b", "bef"} <= set(values)
    assert benchmark.score(DARK, DARK)["psnr"] == float("inf")


def test_a_method_is_loaded_once_and_called_like_a_function():
    brighten = benchmark.load_method("gamma+clahe")
    twice = [brighten((DARK / 255).astype(np.float32)) for _ in range(2)]
    assert np.array_equal(*twice)


def test_committed_results_are_a_table():
    rows = benchmark.results("demo")
    assert {"chain", "qf", "metric", "value"} <= set(rows.columns)
    assert len(rows) > 1000


def test_what_is_no_image_is_refused():
    with pytest.raises(InputError, match=r"shape \(16, 24\)"):
        benchmark.enhance(DARK[..., 0])
    with pytest.raises(InputError, match="type uint16 was given"):
        benchmark.enhance(DARK.astype(np.uint16) * 257)  # in [0, 1] it would be white
    with pytest.raises(InputError, match="expected one size"):
        benchmark.score(DARK, DARK[:8])


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'brighten'"):
        _ = benchmark.brighten


def test_the_front_loads_nothing_until_it_is_used():
    code = "import benchmark, sys; print([m for m in ('torch', 'pandas') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_only_rooms_lie_in_the_package():
    names = {module.name for module in pkgutil.iter_modules(benchmark.__path__)}
    packages = {module.name for module in pkgutil.iter_modules(benchmark.__path__) if module.ispkg}
    assert names == packages
    for room in ROOT.glob("benchmark/**/"):
        files = list(room.glob("*.py"))
        assert len(files) <= (30 if room.name == "stages" else 20), room
