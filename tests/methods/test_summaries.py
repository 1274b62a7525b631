"""Lists of methods: read without loading them, and made again when a file changes."""

import subprocess
import sys

import pytest

from benchmark import ROOT, methods
from benchmark.methods import registry, summaries


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(summaries, "FILE", tmp_path / "cache" / "methods.json")
    return tmp_path / "cache" / "methods.json"


def facts(plugin):
    released = [(one.name, one.files, one.partial) for one in plugin.released]
    names = ("name", "role", "cite", "title", "parts", "writes", "needs", "module", "learned")
    return [getattr(plugin, name) for name in names], released


def test_what_is_read_back_is_what_the_methods_say(monkeypatch):
    loaded = [methods.find(name) for name in methods.names()]
    assert [facts(plugin) for plugin in summaries.plugins()] == [facts(p) for p in loaded]
    monkeypatch.setattr(registry, "find", None)
    assert [facts(plugin) for plugin in summaries.plugins()] == [facts(p) for p in loaded]


def test_a_method_of_a_list_cannot_run():
    plugin = summaries.plugins()[0]
    with pytest.raises(RuntimeError, match=r"get it from benchmark\.methods\.find"):
        plugin()


def test_another_file_makes_the_list_anew(tmp_path, monkeypatch, packages_read_anew):
    folder = tmp_path / "methods_to_list"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    text = (ROOT / "baselines" / "gamma.py").read_text()
    (folder / "gamma.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "PACKAGE", folder.name)
    assert "bright" not in [plugin.name for plugin in summaries.plugins()]
    (folder / "bright.py").write_text(text.replace("def gamma", "def bright"))
    assert "bright" in [plugin.name for plugin in summaries.plugins()]
    (folder / "variants.yaml").write_text("b: {method: bright, title: B}")
    registry._read_variants.cache_clear()
    assert {"b", "bright", "gamma"} <= {plugin.name for plugin in summaries.plugins()}
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_folder_that_cannot_be_written_hides_no_method(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(summaries, "FILE", tmp_path / "file" / "methods.json")
    assert len(summaries.plugins()) == len(methods.names())


def test_a_list_that_is_read_back_loads_no_torch(file):
    summaries.plugins()
    code = (
        "import sys; from pathlib import Path; from benchmark.methods import summaries; "
        f"summaries.FILE = Path({str(file)!r}); print(len(summaries.plugins())); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    assert int(done.stdout) == len(methods.names())
