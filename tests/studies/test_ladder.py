"""The ablation ladder: settings of its rows, and the table they are told in."""

import json

import numpy as np
import pytest
import yaml

from benchmark import methods
from benchmark.core import params as profiles
from studies import ladder


@pytest.fixture
def lol():
    return profiles.load(profiles.profile_path("lol"))


@pytest.fixture
def book():
    return yaml.safe_load(ladder.ROWS.read_text())


def test_every_row_has_settings_that_its_method_takes(lol, book):
    for row in book["rows"]:
        chosen = ladder.settings(lol, row, book["vaes"], book["ema"])
        plugin = methods.find(row["of"])
        assert (chosen.steps, chosen.batch, chosen.crop) == (
            row["steps"],
            row["batch"],
            row["crop"],
        )
        assert set(chosen.parts) == set(plugin.parts[:-1])
        plugin.train(plugin.parts[0], {}, **chosen.settings)


def test_rows_see_about_as_many_pixels(book):
    for row in book["rows"]:
        of_method = next(first for first in book["rows"] if first["of"] == row["of"])
        pixels, first = (r["steps"] * r["batch"] * r["crop"] ** 2 for r in (row, of_method))
        assert 0.9 < pixels / first < 1.1


def test_rows_are_compared_with_rows_that_exist(book):
    names = [row["name"] for row in book["rows"]]
    assert {row.get("against", names[0]) for row in book["rows"]} <= set(names)


def rung(psnr, output):
    reference, dark = np.array([0.2, 0.4, 0.6]), np.array([0.3, 0.2, 0.1])
    levels = np.array([output, reference, dark])
    return ladder.Rung(np.array([psnr, psnr]), np.array([psnr, psnr]) + 3.0, levels, 12.4, "c" * 64)


def test_a_rung_survives_the_disk():
    first = rung([18.0, 20.0, 22.12345], [0.2, 0.3, 0.4])
    again = ladder.Rung.from_plain(json.loads(json.dumps(first.to_plain())))
    np.testing.assert_allclose(again.psnr, first.psnr, atol=5e-5)
    assert (again.minutes, again.code) == (12.4, "c" * 64)


def test_the_table_tells_differences_from_the_first_row(lol, book):
    rungs = [rung([18.0, 20.0, 22.0], [0.2, 0.3, 0.4]), rung([19.0, 21.0, 23.0], [0.4, 0.3, 0.2])]
    made = ladder.table(book["rows"][:2], rungs, lol)
    cells = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
    assert [cell["QF 90"] for cell in cells] == ["20.00", "21.00"]
    assert [cell["difference"] for cell in cells] == ["", "+1.00 (+1.00 to +1.00) to base"]
    assert [cell["follows the mean"] for cell in cells] == ["+1.00", "-1.00"]
    assert [cell["mean matched"] for cell in cells] == ["23.00", "24.00"]
    assert "dark image's mean has -1.00" in made.text
