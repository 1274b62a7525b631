"""Records of methods and chains, and what a machine says of itself."""

from benchmark.core import environment
from benchmark.core.hashing import digest_values
from benchmark.data import manifest
from benchmark.methods import Chain, checkpoints, records


def test_a_classical_chain_has_one_track_and_no_weights(tmp_path):
    record = records.chain_record(Chain(("gamma",)), ("classical", "retrained"), tmp_path)
    assert record["tracks"] == {"classical": {}}
    assert record["absent"] == {}


def test_absent_weights_are_a_reason_not_a_gap(tmp_path):
    record = records.chain_record(Chain(("edsr",)), ("retrained", "released"), tmp_path)
    assert record["tracks"] == {}
    assert "no trained weights" in record["absent"]["retrained"]
    assert "no released weights" in record["absent"]["released"]


def test_new_weights_change_the_record_of_their_chains(tmp_path):
    def record():
        return records.chain_record(Chain(("zero_dce", "edsr")), ("retrained",), tmp_path)

    for name in ("zero_dce", "edsr"):
        checkpoints.save(tmp_path / f"{name}.pt", checkpoints.Checkpoint(name, "model", {}, {}))
    before = record()
    assert before["order"] == "enhance+deblock"
    checkpoints.save(
        tmp_path / "edsr.pt", checkpoints.Checkpoint("edsr", "model", {"width": 8}, {})
    )
    assert digest_values(record()) != digest_values(before)


def test_the_environment_names_versions_and_the_encoder():
    found = environment.environment()
    assert found["jpeg"]["subsampling"] == "4:2:0"
    assert found["libraries"].keys() >= {"torch", "numpy", "pillow"}
    assert found["cpu"]
    assert found["vectors"]


def test_lists_of_images_are_told_by_their_content(tmp_path):
    for name in ("inventory/LOL", "merge/train/pairs", "merge/test/LOL", "jpeg/test/scores"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(name)
    before = manifest.manifests(tmp_path)
    assert [*before] == ["inventory/LOL", "merge/train/pairs", "merge/test/LOL"]
    (tmp_path / "merge" / "test" / "LOL.csv").write_text("another image")
    after = manifest.manifests(tmp_path)
    assert [name for name in before if before[name] != after[name]] == ["merge/test/LOL"]
