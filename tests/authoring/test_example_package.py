"""The example of a method in a package of its own: installed by pip, found by its entry point."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmark import ROOT, methods
from benchmark.core.errors import InputError
from benchmark.methods import registry

EXAMPLE = ROOT / "docs" / "examples" / "mlsm-bench-retouch"
COMMAND = "from benchmark.cli.main import main; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package as pip installs it, in a folder of its own."""
    pytest.importorskip("setuptools", reason="pip builds the package with setuptools")
    source = tmp_path_factory.mktemp("source") / "package"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    target = tmp_path_factory.mktemp("installed")
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", target, source], check=True
    )
    return target


def python(installed, code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(installed)])},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_an_installed_package_brings_its_method(installed):
    done = python(installed, COMMAND, "list", "--json")
    assert done.returncode == 0, done.stderr
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert found["retouch"]["title"] == "Retouch"
    assert "gamma" in found


@pytest.mark.slow
def test_the_method_of_the_package_keeps_the_contract(installed):
    done = python(installed, COMMAND, "baseline", "test", "retouch")
    assert (done.returncode, done.stdout) == (0, "retouch keeps the contract\n"), done.stderr


@pytest.mark.slow
def test_an_edit_of_any_module_of_the_package_changes_its_digest(installed):
    code = "from benchmark.methods import records; print(records.method_record('retouch').code)"
    before = python(installed, code).stdout
    curves = installed / "mlsm_bench_retouch" / "curves.py"
    curves.write_text(curves.read_text().replace("log1p(strength * light)", "sqrt(light)"))
    after = python(installed, code).stdout
    assert len(before.strip()) == len(after.strip()) == 64
    assert after != before


def test_the_example_brightens_and_keeps_hue_black_and_white(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    from mlsm_bench_retouch.retouch import retouch

    image = np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.1, 0.05, 0.02]]], np.float32)
    black, white, dark = retouch()(image)[0]
    assert (black == 0).all()
    np.testing.assert_allclose(white, 1, atol=1e-6)
    assert dark[0] > 0.3
    np.testing.assert_allclose(dark / dark[0], [1, 0.5, 0.2], rtol=1e-5)


def metadata(folder, package, name):
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{registry.ENTRY_POINTS}]\n{name} = {package}:{name}\n"
    )


def test_a_package_cannot_replace_a_method_of_the_suite(tmp_path, monkeypatch, packages_read_anew):
    metadata(tmp_path, "usurper", "gamma")
    monkeypatch.syspath_prepend(tmp_path)
    words = r"2 methods called 'gamma', .*baselines/gamma\.py, usurper:gamma of package usurper"
    with pytest.raises(InputError, match=words):
        methods.find("gamma")
    assert methods.find("lime").title == "LIME"


def test_two_packages_cannot_bring_methods_of_one_name(tmp_path, monkeypatch, packages_read_anew):
    metadata(tmp_path, "first", "dawn")
    metadata(tmp_path, "second", "dawn")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"first:dawn of package first, second:dawn of package"):
        methods.find("dawn")
