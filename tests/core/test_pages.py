"""The project's pages name files and modules that are there."""

import importlib
import re

import pytest

from benchmark import ROOT

FOLDERS = (ROOT, ROOT / "docs", ROOT / "weights", ROOT / "data")
PAGES = [path for folder in FOLDERS for path in sorted(folder.glob("*.md"))]
INVENTED = {"baselines/_name.py", "baselines/dawn.py", "baselines/dawn_net.py", "baselines/mine.py"}
FILE = re.compile(r"(?<![\w/.-])((?:benchmark|baselines|mlsm|studies|tests|perf)/[\w/]+\.\w+)")
ROOMS = {path.name for path in (ROOT / "benchmark").iterdir() if path.is_dir()}
NAME = re.compile(rf"`((?:{'|'.join(sorted(ROOMS))})(?:\.[a-z_]+)+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_files_that_are_there(page):
    if page.name == "CHANGELOG.md":
        pytest.skip("it tells of files as they were called then")
    named = set(FILE.findall(page.read_text(encoding="utf-8")))
    assert {name for name in named - INVENTED if not (ROOT / name).exists()} == set()


def test_the_architecture_page_names_functions_that_are_there():
    for name in NAME.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        parts = ["benchmark", *name.split(".")]
        module, attributes = parts, []
        while not _is(module):
            module, attributes = module[:-1], [module[-1], *attributes]
        found = importlib.import_module(".".join(module))
        for attribute in attributes:
            found = getattr(found, attribute)


def _is(parts: list[str]) -> bool:
    path = ROOT.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()
