"""The drawing shows the modules that there are."""

import pytest
import torch

from benchmark.figures import network_diagram
from mlsm.config import Config
from mlsm.model import MLSM


def overview(**fields):
    network = MLSM(Config(width=4, n_res=0, **fields)).eval()
    return network_diagram.trace(
        network, network_diagram.opened(network), torch.zeros(1, 3, 64, 96)
    )


def test_every_level_has_its_boxes_at_its_resolution():
    for levels in (1, 2, 3):
        graph = overview(levels=levels)
        mappings = [key for key in graph if key.startswith("mapping.levels.")]
        assert mappings == [f"mapping.levels.{level}" for level in range(levels)]
        shapes = [graph[key].shape for key in mappings]
        assert shapes == [(4, 64 >> level, 96 >> level) for level in range(levels)]


def test_boxes_read_what_the_network_reads():
    graph = overview(levels=2)
    assert [*graph["encoder.trunks.0"].sources] == ["input"]
    assert [*graph["encoder.downs.0"].sources] == ["encoder.mu_heads.0"]
    (total,) = graph["decoder.blocks.0"].sources
    assert graph[total].label == "+"
    enlarged, mapped = graph[total].sources
    assert (graph[enlarged].label, mapped) == ("up", "mapping.levels.0")
    assert [*graph[enlarged].sources] == ["decoder.blocks.1"]


def test_what_the_output_does_not_depend_on_is_not_drawn():
    assert not [key for key in overview() if "logvar" in key]


def test_a_detail_shows_the_branches_and_what_comes_in():
    network = MLSM(Config(width=4)).eval()
    detail = "mapping.levels.0"
    paths = network_diagram.opened(network, detail)
    graph = network_diagram.part(
        network_diagram.trace(network, paths, torch.zeros(1, 3, 64, 96)), detail
    )
    outside = [node.label for node in graph.values() if node.kind == "outside"]
    assert outside == ["encoder.mu_heads.0", "up"]
    assert graph[f"{detail}.enlighten.2"].note == "ASPP\n1, 6, 12, 18"
    assert graph[f"{detail}.deblock.down2"].shape == (16, 16, 24)
    assert [node.label for node in graph.values() if node.kind == "sign"] == [
        "−",
        "cat",
        "cat",
        "+",
    ]


def test_boxes_never_share_a_place():
    for mapping in ("branches", "attention"):
        at = network_diagram.places(overview(mapping=mapping))
        assert len(set(at.values())) == len(at)


def test_the_figure_holds_every_box_of_both_panels():
    network = MLSM(Config(width=4, levels=2)).eval()
    figure = network_diagram.draw(network, "mapping.levels.1")
    top, bottom = figure.axes
    assert "parameters" in top.get_title(loc="left")
    assert any(text.get_text().startswith("levels 1\nBranch\nMapping") for text in top.texts)
    assert bottom.get_title(loc="left") == "Inside mapping.levels.1"
    assert any("fuse" in text.get_text() for text in bottom.texts)


def test_a_run_leaves_no_hooks():
    network = MLSM(Config(width=4)).eval()
    network_diagram.draw(network, "mapping.levels.0")
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


@pytest.mark.parametrize("levels", [1, 4])
def test_any_number_of_levels_can_be_drawn(levels):
    network_diagram.draw(MLSM(Config(width=4, levels=levels)).eval(), "mapping.levels.0")
