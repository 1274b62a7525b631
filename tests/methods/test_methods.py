"""How methods are declared, found, chained and run."""

import importlib.metadata
import sys

import numpy as np
import pytest
import torch
from torch import nn

from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import to_float
from benchmark.methods import Chain, Step, from_network, plugin, registry

BRIGHTEN = """
from benchmark.methods import Method, plugin

@plugin("enhancer", cite="a test", title="Brighter")
def NAME(factor: float = 2.0) -> Method:
    return lambda image: image * factor
"""


@pytest.fixture
def package(tmp_path, monkeypatch, packages_read_anew):
    """A folder of methods in place of `baselines/`."""
    folder = tmp_path / "methods_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "brighten.py").write_text(BRIGHTEN.replace("NAME", "brighten"))
    (folder / "misnamed.py").write_text(BRIGHTEN.replace("NAME", "another"))
    (folder / "_solver.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("benchmark.methods.registry.PACKAGE", folder.name)
    yield folder
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_file_in_the_folder_is_a_method(package):
    assert methods.names() == ["brighten", "misnamed"]
    assert methods.find("brighten").title == "Brighter"


def test_a_new_file_is_found_without_registration(package):
    (package / "second.py").write_text(BRIGHTEN.replace("NAME", "second"))
    assert "second" in methods.names()


def test_a_file_without_its_method_is_refused(package):
    with pytest.raises(InputError, match=r"misnamed\.py does not define a method 'misnamed'"):
        methods.find("misnamed")


def test_an_unknown_name_gets_a_hint(package):
    with pytest.raises(InputError, match=r"no method called 'brigten': did you mean 'brighten'\?"):
        methods.find("brigten")


def test_a_name_like_none_gets_the_list(package):
    with pytest.raises(InputError, match=r"known are brighten, misnamed\.$"):
        methods.find("xyz")


def test_an_entry_point_is_a_method(package, tmp_path, monkeypatch):
    (tmp_path / "elsewhere_of_a_test.py").write_text(BRIGHTEN.replace("NAME", "elsewhere"))
    point = importlib.metadata.EntryPoint(
        "elsewhere", "elsewhere_of_a_test:elsewhere", registry.ENTRY_POINTS
    )
    points = importlib.metadata.EntryPoints([point])
    monkeypatch.setattr(importlib.metadata, "entry_points", points.select)
    assert methods.names() == ["brighten", "elsewhere", "misnamed"]
    assert methods.find("elsewhere").module == "elsewhere_of_a_test"


VARIANT = """from benchmark.methods import plugin

@plugin("enhancer", cite="a control", title="Power")
def power(exponent=0.5, gain=1.0):
    return lambda image: gain * image**exponent
"""


@pytest.fixture
def variants(package):
    """A package with the method `power`, and a function that writes its list of variants."""
    (package / "power.py").write_text(VARIANT)
    return lambda text: (package / "variants.yaml").write_text(text)


def test_a_variant_is_its_method_with_settings_that_nothing_changes(variants):
    variants("softer: {method: power, title: Softer, settings: {exponent: 0.25}}")
    softer = methods.find("softer")
    assert "softer" in methods.names()
    assert (softer.name, softer.title, softer.cite) == ("softer", "Softer", "a control")
    image = np.full((2, 2, 3), 0.0625, np.float32)
    np.testing.assert_allclose(softer(exponent=1.0)(image), 0.5)
    np.testing.assert_allclose(softer(gain=0.5)(image), 0.25)
    np.testing.assert_allclose(methods.find("power")()(image), 0.25)


def test_a_variants_digest_follows_its_code_and_its_settings(variants, package):
    variants("softer: {method: power, title: Softer, settings: {exponent: 0.25}}")
    assert methods.module_of("softer") == f"{package.name}.power"
    first = methods.digest("softer")
    assert first != methods.digest("power")
    registry._read_variants.cache_clear()
    variants("softer: {method: power, title: Softer, settings: {exponent: 0.3}}")
    assert methods.digest("softer") != first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("softer: {method: power}", "title"),
        ("softer: [power]", "is no list of variants"),
        ("softer: {method: power, title: A, colour: 1}", "colour"),
        ("a: {method: power, title: A}\nb: {method: a, title: B}", "which is a variant itself"),
        ("softer: {method: pover, title: A}", "a variant of 'pover', which is no method"),
        ("brighten: {method: power, title: A}", "2 methods called 'brighten'"),
    ],
)
def test_a_list_of_variants_that_does_not_fit_is_refused(variants, text, words):
    variants(text)
    with pytest.raises(InputError, match=words):
        [methods.find(name) for name in registry.variants()]


def test_a_variant_trains_with_the_settings_it_fixes():
    level = methods.find("mlsm_level1")
    assert level.fixed == {"levels": 1}
    whole = methods.find("mlsm").train("vae_dark", {}, width=8).network
    single = level.train("vae_dark", {}, width=8, levels=3).network
    count = [sum(p.numel() for p in n.parameters()) for n in (whole, single)]
    assert count[1] < count[0]


def test_the_suite_has_the_papers_baselines():
    wanted = {"identity", "gamma", "lime", "zero_dce", "edsr"}
    assert wanted <= set(methods.names())


@pytest.mark.parametrize(
    ("name", "title", "role"),
    [
        ("identity", "Identity", "enhancer"),
        ("gamma", "Gamma", "enhancer"),
        ("lime", "LIME", "enhancer"),
        ("zero_dce", "Zero-DCE", "enhancer"),
        ("edsr", "EDSR", "deblocker"),
    ],
)
def test_titles_are_spelled_as_in_the_papers_tables(name, title, role):
    found = methods.find(name)
    assert (found.name, found.title, found.role) == (name, title, role)


def test_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="`role` must be one of"):
        plugin("painter", cite="a test")


def test_settings_reach_the_method():
    image = np.full((2, 2, 3), 0.25, np.float32)
    assert methods.find("gamma")(exponent=0.5)(image)[0, 0, 0] == np.float32(0.5)


def test_a_chain_reads_from_left_to_right():
    chain = Chain.parse("edsr+zero_dce")
    assert chain.steps == ("edsr", "zero_dce")
    assert str(chain) == "edsr+zero_dce"
    assert chain.title == "EDSR+Zero-DCE"
    assert chain.order == "deblock+enhance"


def test_the_other_order_is_another_chain():
    chain = Chain.parse("zero_dce+edsr")
    assert chain.order == "enhance+deblock"
    assert chain != Chain.parse("edsr+zero_dce")


@pytest.mark.parametrize("text", ["", "edsr+", "+edsr", "edsr++lime", "edsr + lime"])
def test_a_chain_with_an_unknown_or_empty_step_is_refused(text):
    with pytest.raises(InputError, match="There is no method called"):
        Chain.parse(text)


def test_a_chain_is_learned_if_any_step_is():
    assert Chain.parse("gamma+edsr").learned
    assert not Chain.parse("gamma+lime").learned


def step(method, writes="round"):
    @plugin("enhancer", cite="a test", writes=writes)
    def made():
        return method

    return Step(made, method)


GREY = np.full((8, 8, 3), 100, np.uint8)


def test_steps_run_from_left_to_right():
    double = step(lambda image: image * np.float32(2))
    lift = step(lambda image: image + np.float32(10 / 255))
    assert methods.run([double, lift], GREY)[0, 0, 0] == 210
    assert methods.run([lift, double], GREY)[0, 0, 0] == 220


def test_outputs_are_rounded_to_8_bits_between_steps():
    third = step(lambda image: image * np.float32(0.4 / 100))  # 0.4 of a level rounds to 0
    back = step(lambda image: image * np.float32(100))
    assert methods.run([third, back], GREY).max() == 0


def test_outputs_are_clipped_between_steps():
    double, halve = step(lambda image: image * 4), step(lambda image: image / np.float32(4))
    assert methods.run([double, halve], GREY)[0, 0, 0] == 64  # 255 / 4, not 100


@pytest.mark.parametrize(("writes", "level"), [("round", 101), ("truncate", 100)])
def test_protocol_paper_stores_as_the_authors_script(writes, level):
    steps = [step(lambda image: image + np.float32(0.7 / 255), writes)]
    assert methods.run(steps, GREY, "paper")[0, 0, 0] == level
    assert methods.run(steps, GREY, "sound")[0, 0, 0] == 101


def test_protocol_paper_encodes_again_where_the_authors_script_does():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    steps = [step(lambda image: image, "jpeg75")]
    assert (methods.run(steps, pixels, "paper") == jpeg.compress(pixels, 75)).all()
    assert (methods.run(steps, pixels, "sound") == pixels).all()


def test_both_protocols_run_a_step_once_while_their_inputs_are_equal():
    seen = []

    def watched(image):
        seen.append(image)
        return image

    steps = [step(watched), step(watched, "truncate"), step(watched)]
    pixels = np.full((4, 4, 3), 100, np.uint8)
    found = methods.outputs(steps, pixels, ("sound", "paper"))
    assert len(seen) == 4  # only the last step has two inputs
    for protocol, output in found.items():
        assert (output == methods.run(steps, pixels, protocol)).all()


def needy(method, needs):
    @plugin("enhancer", cite="a test", needs=needs)
    def needing():
        return method

    return Step(needing, method)


def test_a_later_step_gets_the_tables_of_the_file_at_the_head():
    seen = []

    def deblock(image, tables):
        seen.append(tables)
        return image

    given = methods.MethodContext(jpeg.tables_of_quality(60))
    methods.run([step(lambda image: image * 0.5), needy(deblock, "tables")], GREY, given=given)
    assert (seen[0] == jpeg.tables_of_quality(60)).all()


def test_tables_of_an_uncompressed_input_are_ones():
    seen = []
    methods.run([needy(lambda image, tables: seen.append(tables) or image, "tables")], GREY)
    assert (seen[0] == 1).all()


def test_a_method_without_its_reference_is_refused():
    given = methods.MethodContext(reference=np.ones(GREY.shape, np.float32))
    control = needy(lambda image, reference: reference, "reference")
    assert methods.run([control], GREY, given=given).min() == 255
    with pytest.raises(InputError, match="needing uses the normal-light reference"):
        methods.run([control], GREY)


def test_settings_of_methods_without_weights_stand_with_the_chain():
    chain = Chain.parse("gamma+lime", {"gamma": {"exponent": 0.5}, "clahe": {"tiles": 4}})
    assert chain.settings_of("gamma") == {"exponent": 0.5}
    assert chain.settings_of("lime") == {}
    assert str(chain) == "gamma+lime"
    assert hash(chain) != hash(Chain.parse("gamma+lime"))


def test_settings_of_a_learned_method_are_sent_to_its_training():
    with pytest.raises(InputError, match=r"move them from methods\.edsr to training\.edsr"):
        Chain.parse("edsr", {"edsr": {"width": 8}})


def test_a_run_leaves_its_pixels_alone():
    pixels = GREY.copy()

    def in_place(image):
        image *= 0
        return image

    methods.run([step(in_place)], pixels)
    assert (pixels == GREY).all()


def test_a_method_that_changes_the_size_stops_the_run():
    with pytest.raises(ValueError, match=r"made returned shape \(4, 8, 3\) for \(8, 8, 3\)"):
        methods.run([step(lambda image: image[::2])], GREY)


def test_a_method_that_returns_nan_stops_the_run():
    with pytest.raises(ValueError, match="made returned NaN or infinity"):
        methods.run([step(lambda image: image * np.float32("nan"))], GREY)


class Gain(nn.Module):
    """A network of one weight and one setting."""

    def __init__(self, offset: float = 0.25) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.offset = offset

    def forward(self, image):
        return self.gain * image + self.offset


def gain_recipe(part, trained, penalty=0.1, **settings):
    raise NotImplementedError


@plugin("enhancer", cite="a control", train=gain_recipe, network=Gain)
def gain(network: Gain):
    return from_network(network)


def test_a_method_of_a_network_takes_its_settings_from_it_and_ignores_those_of_training():
    image = np.full((2, 2, 3), 0.25, np.float32)
    state = {"gain": torch.full((1,), 2.0)}
    np.testing.assert_allclose(gain(state)(image), 0.75)
    np.testing.assert_allclose(gain(state, offset=0.0, penalty=3.0)(image), 0.5)


def test_a_setting_that_neither_network_nor_training_has_is_named():
    with pytest.raises(TypeError, match="gain has no setting 'ofset': it has offset, penalty"):
        gain({"gain": torch.ones(1)}, ofset=1.0)


def test_a_network_becomes_a_method_in_evaluation_mode():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).train()
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(3)[:, :, None, None] * 2)
        network[0].bias.zero_()
    image = to_float(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8))
    output = from_network(network)(image)
    assert output.flags.c_contiguous
    np.testing.assert_allclose(output, np.minimum(image * 2, 1), atol=1e-4)  # clipped


@pytest.mark.parametrize("height", [1, 4])
def test_a_network_that_works_in_place_cannot_change_the_input(height):
    image = np.full((height, 1, 3), 0.5, np.float32)
    from_network(nn.Threshold(0.9, 0.0, inplace=True))(image)
    assert (image == 0.5).all()
