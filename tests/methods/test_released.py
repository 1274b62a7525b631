"""The commands for released weights: list, verify, fetch."""

import dataclasses
import json
import os

import pytest
import torch
from torch import nn

from benchmark import methods
from benchmark.core.hashing import sha256
from benchmark.methods import (
    Released,
    WeightsFile,
    fetching,
    from_network,
    plugin,
    released,
    summaries,
)
from benchmark.training import Recipe
from tests.helpers.commands import call, fails


def recipe(part, trained):
    network = nn.Conv2d(3, 3, 1)
    return Recipe(network, (), "pairs", 1, 8, 1, network)


def build(state):
    network = nn.Conv2d(3, 3, 1)
    network.load_state_dict(state)
    return from_network(network)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty repository and data folder."""
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("benchmark.core.locations.ROOT", tmp_path)
    monkeypatch.setattr(released, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def suite(root, monkeypatch):
    """Makes a suite of one method, `net`, and puts its released file into the data folder."""

    def made(state=None, **changes):
        path = root / "data" / "weights" / "net" / "a.pth"
        path.parent.mkdir(parents=True)
        torch.save(nn.Conv2d(3, 3, 1).state_dict() if state is None else state, path)
        file = WeightsFile("net/a.pth", path.stat().st_size, sha256(path), "its authors' page")
        url = changes.pop("url", "")
        one = Released("first", (dataclasses.replace(file, url=url),), **changes)
        declared = plugin("enhancer", cite="a test", train=recipe, released=(one,))(build)
        found = {
            "net": dataclasses.replace(declared, name="net"),
            "gamma": methods.find("gamma"),
        }
        monkeypatch.setattr(methods, "names", lambda: list(found))
        monkeypatch.setattr(methods, "find", found.__getitem__)
        monkeypatch.setattr(summaries, "plugins", lambda: list(found.values()))
        return path

    return made


def row(*arguments):
    done = call("weights", *arguments, "--json")
    (found,) = json.loads(done.stdout)
    return done.returncode, found


def test_list_says_what_is_here_and_where(suite, root):
    path = suite()
    assert row("list") == (
        0,
        {
            "method": "net",
            "variant": "first",
            "state": "present",
            "bytes": path.stat().st_size,
            "file": "net/a.pth",
            "folder": str(root / "data" / "weights"),
            "source": "its authors' page",
            "partial": "",
        },
    )


def test_list_says_what_is_absent(suite):
    suite().unlink()
    found = row("list", "net")[1]
    assert (found["state"], found["folder"]) == ("absent", "")


def test_list_says_what_is_broken(suite, root):
    suite().write_bytes(b"<html>")
    found = row("list")[1]
    assert (found["state"], found["folder"]) == ("broken", str(root / "data" / "weights"))


def test_list_covers_every_file_that_a_method_declares():
    rows = json.loads(call("weights", "list", "--json").stdout)
    declared = [
        file.file
        for name in methods.names()
        for found in methods.find(name).released
        for file in found.files
    ]
    assert [found["file"] for found in rows] == declared


def test_a_method_without_released_weights_is_named():
    fails(call("weights", "list", "gamma"), "gamma lists no released weights")


def test_verify_loads_the_file_into_the_module(suite):
    suite()
    status, found = row("verify")
    assert (status, found["state"]) == (0, "present")
    assert found["words"] == "12 numbers loaded from 1 file(s)"


@pytest.mark.parametrize(("named", "status"), [((), 0), (("net",), 1)])
def test_an_absent_file_fails_only_if_its_method_is_named(suite, named, status):
    suite().unlink()
    done = call("weights", "verify", *named)
    assert done.returncode == status
    assert done.stdout == "absent   net first: net/a.pth not here\n"


def test_verify_refuses_another_hash(suite):
    path = suite()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    done = call("weights", "verify")
    assert done.returncode == 1
    assert done.stdout.startswith("broken   net first: ")
    assert "SHA-256" in done.stdout


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"weight": torch.zeros(3, 3, 1, 1)}, "Missing key"),
        ({"weight": torch.zeros(3, 3, 2, 2), "bias": torch.zeros(3)}, "size mismatch"),
        ({"weight": torch.zeros(3, 3, 1, 1), "bias": torch.zeros(3), "more": torch.zeros(1)}, "Un"),
    ],
)
def test_verify_refuses_what_does_not_fit_the_module(suite, state, words):
    suite(state)
    status, found = row("verify")
    assert (status, found["state"]) == (1, "broken")
    assert "does not load into" in found["words"]
    assert words in found["words"]


def test_verify_refuses_a_file_without_what_adapt_expects(suite):
    suite(adapt=lambda content: content["state"])
    status, found = row("verify")
    assert status == 1
    assert "KeyError: 'state'" in found["words"]


def test_partial_weights_need_not_fill_the_module_and_say_why(suite):
    suite({"bias": torch.zeros(3)}, partial="the kernel was never released")
    status, found = row("verify")
    assert status == 0
    assert found["words"] == "3 numbers loaded; partial: the kernel was never released"


def test_partial_weights_must_have_a_place_in_the_module(suite):
    suite({"offset": torch.zeros(3)}, partial="the kernel was never released")
    status, found = row("verify")
    assert status == 1
    assert "the module has no offset" in found["words"]


def test_fetch_tells_how_to_get_a_file_whose_address_is_unknown(suite):
    path = suite()
    digest = sha256(path)
    path.unlink()
    done = call("weights", "fetch", "net")
    assert done.returncode == 1
    for word in ("its authors' page", "weights/released/net/a.pth", digest, "verify net"):
        assert word in done.stdout


def test_fetch_leaves_a_sound_file_alone(suite, root):
    suite(url="http://127.0.0.1:9/a.pth")
    done = call("weights", "fetch")
    assert done.returncode == 0
    assert done.stdout == f"net/a.pth: is in {root / 'data' / 'weights'}\n"


def test_fetch_puts_a_file_into_the_repositorys_folder(suite, root, monkeypatch):
    source = suite(url="http://127.0.0.1:9/a.pth")
    content = source.read_bytes()
    source.unlink()

    def complete(url, partial, file):
        assert url == "http://127.0.0.1:9/a.pth"
        partial.write_bytes(content)

    monkeypatch.setattr(fetching, "_complete", complete)
    done = call("weights", "fetch", "net")
    assert done.returncode == 0, done.stderr
    assert (root / "weights" / "released" / "net" / "a.pth").read_bytes() == content
    assert not source.exists()
    assert call("weights", "verify", "net").returncode == 0


def test_fetch_tells_wrong_content_and_fetches_the_others(suite, root, monkeypatch):
    suite(url="http://127.0.0.1:9/a.pth").unlink()
    monkeypatch.setattr(fetching, "_complete", lambda url, partial, file: partial.write_bytes(b"x"))
    done = call("weights", "fetch", "net")
    assert done.returncode == 1
    assert "another SHA-256" in done.stdout
    assert "get the file from its authors' page" in done.stdout
    assert not [path for path in (root / "weights").rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", [p.name for p in released.plugins()])
def test_the_authors_files_load(name):
    if not os.environ.get("MLSM_BENCH_DATA"):
        pytest.skip("MLSM_BENCH_DATA names no folder with released weights")
    verdicts = released.verify([name])
    if all(verdict.state == "absent" for verdict in verdicts):
        pytest.skip(f"no released file of {name} is here")
    assert [verdict for verdict in verdicts if verdict.state == "broken"] == []
