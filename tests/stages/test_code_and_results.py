"""No number outlives the code that made it, and none is made again for a sentence or a place."""

from pathlib import Path

import pytest

from tests.helpers import copies

CHAINS = ["identity", "clahe"]


def measured(folder: Path) -> int:
    """Run the stage score and return how many images it measured, found ones left out."""
    kept = folder / ".cache" / "scores"
    before = sum(path.read_text().count("\n") for path in kept.glob("*.jsonl"))
    copies.python(folder, copies.SCORE)
    return sum(path.read_text().count("\n") for path in kept.glob("*.jsonl")) - before


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / "benchmark" / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} does not hold {old!r} exactly once"
    path.write_text(text.replace(old, new))


def move(folder: Path, old: str, new: str) -> None:
    """Move a module of `benchmark`, and every import of it."""
    target = folder / "benchmark" / (new.replace(".", "/") + ".py")
    target.parent.mkdir(exist_ok=True)
    (target.parent / "__init__.py").touch()
    (folder / "benchmark" / (old.replace(".", "/") + ".py")).rename(target)
    for path in folder.glob("*/**/*.py"):
        text = path.read_text()
        moved = text.replace(f"benchmark.{old} import", f"benchmark.{new} import")
        if moved != text:
            path.write_text(moved)


@pytest.mark.slow
def test_an_edit_of_the_encoder_measures_all_again_and_one_of_a_sentence_or_a_place_nothing(
    tmp_path,
):
    folder = copies.write(tmp_path / "copy", chains=CHAINS, training={})
    copies.python(folder, copies.PREPARE)
    whole = measured(folder)
    assert whole > 0
    assert measured(folder) == 0
    edit(folder, "core/jpeg.py", "JPEG encoding and decoding at one place", "Where JPEG is encoded")
    edit(folder, "scoring/metrics.py", "\nimport numpy as np\n", "\nimport numpy as np  # arrays\n")
    assert measured(folder) == 0, "a sentence made numbers again"
    move(folder, "core.hashing", "core.digests.hashing")
    assert measured(folder) == 0, "a moved module made numbers again"
    edit(folder, "data/inventory.py", "\n\n\ndef take(", "\n\n\nREADERS = 1\n\n\ndef take(")
    assert measured(folder) == 0, "an edited reader made numbers again"
    edit(folder, "core/jpeg.py", "np.zeros((8, 8, 3), np.uint8)", "np.zeros((8, 9, 3), np.uint8)")
    assert measured(folder) == whole, "an edited encoder left numbers as they were"
