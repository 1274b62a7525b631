"""Jobs of several chains: what they share runs once, what is cached is not measured again."""

import numpy as np
import pytest

from benchmark import methods
from benchmark.core import images
from benchmark.core.cache import ResultCache
from benchmark.methods import Chain, Step, plugin
from benchmark.scoring import folders, jobs
from benchmark.scoring.jobs import Job, Work
from tests.helpers.pictures import photograph

CALLS: list[str] = []


def counted(name, factor):
    def build():
        def method(image):
            CALLS.append(name)
            return image * np.float32(factor)

        return method

    build.__name__ = name
    return plugin("enhancer", cite="a test", writes="truncate")(build)


METHODS = {name: counted(name, factor) for name, factor in (("a", 0.9), ("b", 0.7), ("c", 0.5))}


@pytest.fixture
def cases(tmp_path, monkeypatch):
    """Two inputs, and methods `a`, `b`, `c` that count their calls."""
    CALLS.clear()
    for function in (jobs._step, jobs._latest):
        function.cache_clear()

    def assemble(chain, track, trained):
        return [Step(METHODS[name], METHODS[name]()) for name in chain.steps]

    monkeypatch.setattr("benchmark.methods.assemble.assemble", assemble)
    for name in ("1", "2"):
        normal = photograph(32, 40, int(name))
        images.write(tmp_path / "normal" / f"{name}.png", normal)
        images.write(tmp_path / "dark" / f"{name}.png", normal // 3)
    pairs = folders.paired(tmp_path / "dark", tmp_path / "normal")
    yield [
        case for pair in pairs for case in folders.cases(pair, (90,), "dark", tmp_path / pair.name)
    ]
    for function in (jobs._step, jobs._latest):
        function.cache_clear()


def work(cases, *chains):
    return [
        Work(
            [Job(Chain(tuple(chain)), "classical", cases[0].input.parent, c) for c in cases],
            ResultCache(None),
        )
        for chain in chains
    ]


def last_pixel(job):
    pixels = images.read_uint8(job.case.input)
    outputs = jobs.outputs(job, pixels, ("sound", "paper"))
    return [int(outputs[protocol][-1, -1, 0]) for protocol in ("sound", "paper")]


def test_chains_that_begin_alike_share_their_first_step_on_each_input(cases):
    values = jobs.measure_all(work(cases, "a", "ab", "ac", "ba"), last_pixel, 1, "test")
    assert [len(of_chain) for of_chain in values] == [2, 2, 2, 2]
    # a once per input for three chains; b and c after it on two different arrays, one per protocol
    assert CALLS.count("a") == 2 + 2 * 2
    assert CALLS.count("c") == 2 * 2


def test_shared_steps_give_what_each_chain_gives_alone(cases):
    chains = ("a", "ab", "ba", "abc")
    together = jobs.measure_all(work(cases, *chains), last_pixel, 1, "test")
    for chain, of_chain in zip(chains, together, strict=True):
        steps = [Step(METHODS[name], METHODS[name]()) for name in chain]
        alone = [
            [
                int(methods.run(steps, images.read_uint8(case.input), protocol)[-1, -1, 0])
                for protocol in ("sound", "paper")
            ]
            for case in cases
        ]
        assert of_chain == alone


def test_what_a_cache_holds_is_not_measured_again_and_the_rest_is_added(cases):
    first, second = work(cases, "a", "ab")
    expected = jobs.measure_all([first, second], last_pixel, 1, "test")
    CALLS.clear()
    assert jobs.measure_all([first, second], last_pixel, 1, "test") == expected
    assert CALLS == []
    del second.cache.done[cases[1].key()]
    assert jobs.measure_all([first, second], last_pixel, 1, "test") == expected
    assert len(second.cache.done) == 2


def test_the_head_of_a_chain_keeps_the_settings_of_its_own_steps():
    chain = Chain(("gamma", "clahe"), (("gamma", "exponent", 0.3), ("clahe", "clip", 0.1)))
    assert chain.first(1) == Chain(("gamma",), (("gamma", "exponent", 0.3),))
    assert chain.first(2) == chain
