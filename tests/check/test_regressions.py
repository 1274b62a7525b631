"""Every regression planted in the suite's own code makes `check` fail and is named by it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import ROOT
from tests.helpers.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.about)
def test_a_planted_regression_still_finds_the_text_that_it_replaces(mutant):
    text = (ROOT / mutant.file).read_text()
    assert text.count(mutant.old) == 1, (
        f"{mutant.file} does not hold {mutant.old!r} exactly once: give the planted regression "
        f"{mutant.about!r} the text of today in tests/helpers/mutants.py"
    )
    compile(text.replace(mutant.old, mutant.new), mutant.file, "exec")


def test_regressions_are_planted_in_every_room_of_the_pipeline():
    rooms = {
        "data": ("readers", "resize", "register", "lists", "darkening"),
        "core": ("jpeg", "images", "statistics"),
        "training": ("crops", "loop", "recipe", "unet", "losses"),
        "methods": ("chain",),
        "scoring": ("jobs", "metrics", "score", "perceptual"),
        "faces": ("matching", "average_precision"),
    }
    planted = {Path(mutant.file).stem for mutant in MUTANTS}
    assert {room for room, files in rooms.items() if not planted.issuperset(files)} == set()


def problems(mutant: Mutant, found: list[list[str]], error: str) -> list[str]:
    """Return what is wrong with what became of a mutant."""
    if error:
        return [f"{mutant.about}: failed before a check: {error.strip().splitlines()[-1]}"]
    named = {(who, metric) for who, metric, _ in found}
    made = []
    if (mutant.method, mutant.metric) not in named:
        made.append(f"{mutant.about}: {mutant.metric} of {mutant.method} is not among {named}")
    spoilt = {who for who, _ in named} & set(mutant.spared)
    if spoilt:
        made.append(f"{mutant.about}: {spoilt} should not have moved")
    return made


@pytest.mark.slow
def test_every_planted_regression_is_caught_and_named_and_nothing_else_is(tmp_path):
    path = tmp_path / "outcomes.json"
    command = [sys.executable, "-m", "tests.helpers.regressions", "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    unchanged, *made = json.loads(path.read_text())
    assert (unchanged["error"], unchanged["findings"]) == ("", [])
    assert [one["about"] for one in made] == [mutant.about for mutant in MUTANTS]
    wrong = [
        words
        for mutant, one in zip(MUTANTS, made, strict=True)
        for words in problems(mutant, one["findings"], one["error"])
    ]
    assert wrong == []
