"""Weights files: what is accepted, what is refused and what is said about it."""

import dataclasses
import pickle
import re
import shutil

import numpy as np
import pytest
import torch

from benchmark import ROOT, methods
from benchmark.cli.options import chosen_track
from benchmark.core.errors import InputError
from benchmark.core.hashing import sha256
from benchmark.faces.detectors import RETINAFACE
from benchmark.methods import Chain, Released, WeightsFile, assemble, checkpoints
from benchmark.methods.checkpoints import Checkpoint

SETTINGS = {"blocks": 1, "width": 4}


def edsr_state(seed: int = 0):
    torch.manual_seed(seed)
    return methods.find("edsr").train("model", {}, **SETTINGS).network.state_dict()


def write_edsr(folder, seed: int = 0):
    path = checkpoints.trained_path(folder, "edsr")
    checkpoints.save(path, Checkpoint("edsr", "model", SETTINGS, edsr_state(seed), {"seed": seed}))
    return path


def test_a_checkpoint_comes_back_bit_equal(tmp_path):
    state = edsr_state()
    written = Checkpoint("edsr", "model", SETTINGS, state, {"steps": 10, "shape": (1, 2)})
    checkpoints.save(tmp_path / "a" / "edsr.pt", written)
    found = checkpoints.load(tmp_path / "a" / "edsr.pt", "edsr")
    assert dataclasses.replace(found, state={}) == dataclasses.replace(written, state={})
    assert list(found.state) == list(state)
    assert all(torch.equal(found.state[name], value) for name, value in state.items())


def test_saving_leaves_no_partial_file(tmp_path):
    write_edsr(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["edsr.pt"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"There are no weights at .*edsr\.pt: train them"):
        checkpoints.load(tmp_path / "edsr.pt", "edsr")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = write_edsr(tmp_path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match="cannot be read as weights"):
        checkpoints.load(path, "edsr")


@pytest.mark.parametrize(
    "content", [b"<html>not found</html>", b"\xff\xd8\xff", b"d\x80ok", b"h\0"]
)
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "edsr.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as weights"):
        checkpoints.load(path, "edsr")


class Payload:
    """Would create a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    "write", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what, 2))]
)
def test_code_in_a_file_is_not_run(tmp_path, write):
    write({"state": Payload(tmp_path / "run")}, tmp_path / "edsr.pt")
    with pytest.raises(InputError, match="cannot be read as weights"):
        checkpoints.load(tmp_path / "edsr.pt", "edsr")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [{"weight": torch.zeros(1)}, [1, 2], {"format": 0}])
def test_weights_of_other_programs_are_no_checkpoint(tmp_path, content):
    torch.save(content, tmp_path / "edsr.pt")
    with pytest.raises(InputError, match="is not a checkpoint of this suite"):
        checkpoints.load(tmp_path / "edsr.pt", "edsr")


@pytest.mark.parametrize("content", [{"format": 1}, {"format": 1, "method": "edsr"}])
def test_a_checkpoint_that_lacks_its_fields_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "edsr.pt")
    with pytest.raises(InputError, match="is not a checkpoint of this suite, expected part model"):
        checkpoints.load(tmp_path / "edsr.pt", "edsr")


def test_a_checkpoint_of_another_method_is_refused_by_both_names(tmp_path):
    shipped = ROOT / "weights" / "lol" / "mlsm_qf60.pt"
    shutil.copy(shipped, tmp_path / "mlsm.pt")
    message = (
        r"mlsm\.pt holds part model of mlsm_qf60, expected part model of mlsm: give it back its "
        r"name, mlsm_qf60\.pt, then train it again"
    )
    with pytest.raises(InputError, match=message):
        assemble.assemble(Chain.parse("mlsm"), "retrained", tmp_path)
    with pytest.raises(InputError, match=message):
        assemble.settings(Chain.parse("mlsm"), "retrained", tmp_path)


def test_a_checkpoint_of_another_part_is_refused_by_both_names(tmp_path):
    path = write_edsr(tmp_path)
    with pytest.raises(InputError, match="holds part model of edsr, expected part vae_dark of mls"):
        checkpoints.load(path, "mlsm", "vae_dark")


@pytest.mark.parametrize(
    ("settings", "drop", "words"),
    [
        ({"blocks": 1, "width": 8}, 0, "size mismatch for"),
        ({"blocks": 2, "width": 4}, 0, "Missing key"),
        (SETTINGS, 1, "Missing key"),
        ({"blocks": 1, "depth": 4}, 0, "edsr has no setting 'depth'"),
    ],
)
def test_a_cut_state_or_another_architecture_is_one_sentence(tmp_path, settings, drop, words):
    state = dict(list(edsr_state().items())[drop:])
    path = checkpoints.trained_path(tmp_path, "edsr")
    checkpoints.save(path, Checkpoint("edsr", "model", settings, state))
    with pytest.raises(InputError, match=words) as refused:
        assemble.assemble(Chain.parse("edsr"), "retrained", tmp_path)
    sentence = str(refused.value)
    assert re.search(r"edsr\.pt does not fit the network of edsr with settings", sentence)
    assert sentence.endswith("restore it with git if it ships, or see weights/README.md.")
    assert "\n" not in sentence
    assert len(sentence) < 700


def test_every_shipped_checkpoint_says_what_its_name_says():
    for path in sorted((ROOT / "weights" / "lol").glob("*.pt")):
        method, _, part = path.stem.partition("_vae_")
        checkpoints.load(path, method, f"vae_{part}" if part else "model")


def test_a_weights_file_may_have_a_name_of_251_bytes(tmp_path):
    name = "a" * 248
    path = checkpoints.trained_path(tmp_path, name)
    checkpoints.save(path, Checkpoint(name, "model", {}, {"x": torch.ones(1)}))
    assert len(path.name) == 251
    assert checkpoints.load(path, name).state["x"].item() == 1


@pytest.fixture
def released(tmp_path, monkeypatch):
    """A released file, in a weights folder that the environment names."""
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path))
    path = tmp_path / "weights" / "some" / "net.pth"
    path.parent.mkdir(parents=True)
    torch.save({"weight": torch.zeros(2)}, path)
    return path, WeightsFile("some/net.pth", path.stat().st_size, sha256(path), "its authors")


def test_a_released_file_is_found_below_the_data_folder(released):
    path, described = released
    assert assemble.find_released(described) == path


def test_an_absent_released_file_is_none(released):
    assert assemble.find_released(dataclasses.replace(released[1], file="some/other.pth")) is None


def test_a_released_file_with_another_hash_is_refused(released):
    path, described = released
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(
        InputError, match=r"SHA-256 .*expected .*get the file again from its authors"
    ):
        assemble.find_released(described)


def test_a_broken_released_file_is_told_and_stops_no_other_weights(released, monkeypatch):
    path, described = released
    path.write_bytes(path.read_bytes()[:-1])
    plugin = dataclasses.replace(methods.find("zero_dce"), released=(Released("a", (described,)),))
    monkeypatch.setattr("benchmark.methods.chain.find", lambda name: plugin)
    chain = Chain(("zero_dce",))
    for reason in (assemble.broken(plugin), assemble.absent(chain, "released", path.parent)):
        assert re.search(
            r"net\.pth has \d+ bytes and .*get the file again from its authors$", reason
        )
    assert assemble.absent(chain, "retrained", ROOT / "weights" / "lol") == ""
    track = chosen_track(chain, "auto", ROOT / "weights" / "lol")
    assert track == "retrained"
    with pytest.raises(InputError, match=r"Chain zero_dce has no weights here"):
        chosen_track(chain, "auto", path.parent)


def test_a_truncated_released_file_is_refused(released):
    path, described = released
    path.write_bytes(path.read_bytes()[:-1])
    size = described.size
    with pytest.raises(InputError, match=f"has {size - 1} bytes .*expected {size} bytes"):
        assemble.find_released(described)


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """A data folder without weights."""
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr("benchmark.core.locations.ROOT", tmp_path / "nowhere")
    return tmp_path


def test_a_classical_chain_needs_no_weights(nothing):
    assert assemble.absent(Chain.parse("gamma+lime"), "classical", nothing) == ""


@pytest.mark.parametrize(
    ("chain", "track", "reason"),
    [
        ("gamma+edsr", "retrained", "EDSR has no trained weights at .*edsr.pt"),
        ("edsr", "released", "EDSR has no released weights that this suite can load"),
        (
            "zero_dce",
            "released",
            r"released weights of Zero-DCE are absent \(zero_dce/Epoch99.pth\)",
        ),
    ],
)
def test_absent_weights_are_explained(nothing, chain, track, reason):
    with pytest.raises(InputError, match=f"Chain .* cannot run: {reason}; see weights/README.md"):
        assemble.assemble(Chain.parse(chain), track, nothing)


@pytest.mark.parametrize(
    ("chain", "tracks"),
    [
        ("lime", ("classical",)),
        ("edsr", ("retrained",)),
        ("zero_dce", ("retrained", "released")),
        ("gamma+zero_dce", ("retrained", "released")),
        ("edsr+zero_dce", ("retrained",)),
    ],
)
def test_a_chain_has_the_tracks_that_all_its_steps_have(chain, tracks):
    assert assemble.tracks(Chain.parse(chain)) == tracks


def test_a_chain_is_built_with_the_settings_of_its_checkpoint(tmp_path):
    write_edsr(tmp_path)
    steps = assemble.assemble(Chain.parse("gamma+edsr"), "retrained", tmp_path)
    assert [step.plugin.name for step in steps] == ["gamma", "edsr"]
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)
    expected = methods.find("edsr")(edsr_state(), **SETTINGS)
    gamma = methods.find("gamma")()
    by_hand = [methods.Step(s.plugin, m) for s, m in zip(steps, (gamma, expected), strict=True)]
    assert (methods.run(steps, pixels) == methods.run(by_hand, pixels)).all()


def test_every_weights_file_of_a_chain_has_its_hash_on_record(tmp_path):
    path = write_edsr(tmp_path)
    chain = Chain.parse("gamma+edsr")
    before = assemble.hashes(chain, "retrained", tmp_path)
    assert [*before] == ["edsr"]
    assert len(before["edsr"]) == 64
    stored = checkpoints.load(path, "edsr")
    retold = dataclasses.replace(stored, record=dict(stored.record) | {"restamped": "x"})
    checkpoints.save(path, retold)  # what is told of weights makes them no other weights
    assert assemble.hashes(chain, "retrained", tmp_path) == before
    other = {name: value + 1 for name, value in stored.state.items()}
    checkpoints.save(path, dataclasses.replace(stored, state=other))
    assert assemble.hashes(chain, "retrained", tmp_path) != before


def test_released_hashes_come_from_the_method(tmp_path):
    expected = methods.find("zero_dce").released[0].files[0].sha256
    assert assemble.hashes(Chain.parse("zero_dce"), "released", tmp_path) == {"zero_dce": expected}


def test_parts_before_the_model_have_their_own_files(tmp_path):
    assert checkpoints.trained_path(tmp_path, "mlsm", "vae_dark").name == "mlsm_vae_dark.pt"
    assert checkpoints.trained_path(tmp_path, "mlsm").name == "mlsm.pt"


def test_the_list_of_released_files_is_what_methods_declare():
    readme = (ROOT / "weights" / "released" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([^`]+)` \| ([\d,]+) \| `([0-9a-f]{64})` \|", readme, re.MULTILINE)
    files = [
        file
        for name in methods.names()
        for released in methods.find(name).released
        for file in released.files
    ]
    files.append(RETINAFACE)  # a detector's
    declared = {(file.file, f"{file.size:,}", file.sha256) for file in files}
    assert sorted(listed) == sorted(declared)


def two_files(tmp_path, monkeypatch, **changes):
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path))
    folder = tmp_path / "weights" / "some"
    folder.mkdir(parents=True)
    files = []
    for name in ("a", "b"):
        torch.save({name: torch.ones(1)}, folder / f"{name}.pth")
        path = folder / f"{name}.pth"
        files.append(WeightsFile(f"some/{name}.pth", path.stat().st_size, sha256(path), "them"))
    return Released("two", tuple(files), adapt=lambda a, b: {**a, **b}, **changes)


def test_a_release_of_two_files_is_one_state_dict(tmp_path, monkeypatch):
    released = two_files(tmp_path, monkeypatch)
    assert sorted(assemble.read_released(released)) == ["a", "b"]


def test_partial_weights_have_no_row_and_say_why(tmp_path, monkeypatch):
    released = two_files(tmp_path, monkeypatch, partial="the third file is lost")
    plugin = dataclasses.replace(methods.find("zero_dce"), released=(released,))
    monkeypatch.setattr("benchmark.methods.chain.find", lambda name: plugin)
    reason = assemble.absent(Chain(("zero_dce",)), "released", tmp_path)
    assert reason == "released weights of Zero-DCE are partial: the third file is lost"


def test_settings_come_from_the_checkpoint_or_the_chain(tmp_path):
    write_edsr(tmp_path)
    chain = Chain.parse("gamma+edsr+lime", {"gamma": {"exponent": 0.5}})
    found = assemble.settings(chain, "retrained", tmp_path)
    assert found == {"gamma": {"exponent": 0.5}, "edsr": SETTINGS}
