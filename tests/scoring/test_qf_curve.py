"""Quality against quality factors beyond those of the tables."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from benchmark import ROOT
from benchmark.core import images
from benchmark.core.cache import ResultCache
from benchmark.core.params import Params
from benchmark.data import inventory, lists, manifest
from benchmark.figures import style
from benchmark.figures.qf_curve import draw
from benchmark.scoring import plan, qf_curve
from tests.helpers import synthetic_results as synthetic
from tests.helpers.pictures import photograph


def profile(chains=("identity", "gamma"), qfs=(10, 90)):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["merge"] |= {"test": ["LOL"], "resize_test": {}}
    return Params.model_validate(content | {"curve": {"chains": [*chains], "qfs": [*qfs]}})


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Three test pairs, and the means of two chains over them."""
    found = []
    for number in range(3):
        normal = photograph(48, 64, number)
        files = {"normal": normal, "dark": (normal // 6).astype(np.uint8)}
        for side, pixels in files.items():
            images.write(tmp_path / side / f"{number}.png", pixels)
        paths = (tmp_path / side / f"{number}.png" for side in ("dark", "normal"))
        found.append(manifest.Pair("LOL", "test", str(number), *paths))
    listed = lists.prefixed(inventory.manifest(found, tmp_path), "work/")
    manifest.write_manifest(listed, tmp_path / "merge" / "test" / "LOL.csv")
    monkeypatch.setattr(Params, "work", tmp_path)
    monkeypatch.setattr(plan, "journal", lambda *_: ResultCache(None))
    return qf_curve.measure(profile(), tmp_path / "curve")


def test_every_chain_has_a_mean_over_images_at_every_quality_factor(made):
    psnr = made[made["metric"] == "psnr"]
    assert set(psnr[["chain", "qf"]].itertuples(index=False, name=None)) == {
        (chain, qf) for chain in ("identity", "gamma") for qf in (10, 90)
    }
    assert (made["n"] == 3).all()


def test_blocks_grow_where_quality_falls(made):
    bef = made[made["metric"] == "bef"].set_index(["chain", "qf"])["value"]
    assert bef["identity", 10] > bef["identity", 90]


def test_the_figure_marks_what_was_trained_on(made):
    gamma = synthetic.record("gamma")
    identity = replace(
        gamma, title="Identity", steps={"identity": synthetic.method("Identity", "enhancer")}
    )
    figure = draw(made, profile(), style.styles({"identity": identity, "gamma": gamma}))
    panel = figure.axes[0]
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert {tuple(line.get_xdata()) for line in hollow} == {(10,)}
    assert panel.get_ylabel() == "PSNR (dB)"
    assert panel.get_title() == "LOL"


def test_a_curve_of_a_chain_that_is_not_scored_is_refused():
    with pytest.raises(ValueError, match=r"curve\.chains names \['lime_two'\]"):
        profile(chains=["lime_two"])
