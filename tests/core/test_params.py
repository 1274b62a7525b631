"""params.yaml: every mistake is one sentence that names the key."""

import pytest
import yaml

from benchmark import ROOT
from benchmark.core import params
from benchmark.core.errors import InputError


def written(tmp_path, **changes):
    content = yaml.safe_load((ROOT / "params.yaml").read_text()) | changes
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_an_unknown_key_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"params.yaml: quality: Extra inputs are not permitted"):
        params.load(written(tmp_path, quality=90))


def test_an_unknown_key_inside_a_section_is_refused_with_its_place(tmp_path):
    path = written(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["training"]["mlsm"]["parts"]["vae_dark"]["epochs"] = 3
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"training.mlsm.parts.vae_dark.epochs"):
        params.load(path)


@pytest.mark.parametrize("qf", [0, 101, "ninety"])
def test_a_quality_factor_outside_1_to_100_is_refused(tmp_path, qf):
    with pytest.raises(InputError, match=r"qfs\.0"):
        params.load(written(tmp_path, qfs=[qf]))


def test_a_hyphen_in_a_chain_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds '-'"):
        params.load(written(tmp_path, chains=["zero-dce"]))


def test_families_of_chains_stand_in_a_row_with_patterns_written_out(tmp_path):
    families = {
        "controls": ["identity"],
        "in_both_orders": ["{lime,sci}+{edsr,qgcn}", "edsr+{lime, sci}"],
        "the_papers": "mlsm",
    }
    own = {"curve": {"chains": [], "qfs": []}, "perceived": []}
    loaded = params.load(written(tmp_path, chains=families, **own))
    assert loaded.chains == [
        *("identity", "lime+edsr", "lime+qgcn", "sci+edsr", "sci+qgcn"),
        *("edsr+lime", "edsr+sci", "mlsm"),
    ]


@pytest.mark.parametrize("chains", [{"controls": [1]}, {"controls": {"a": 1}}, "lime", [["lime"]]])
def test_chains_that_are_no_names_are_refused(tmp_path, chains):
    with pytest.raises(InputError, match="chains"):
        params.load(written(tmp_path, chains=chains))


def test_a_chain_named_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="named twice"):
        params.load(written(tmp_path, chains=["gamma", "gamma"]))


def test_a_chain_named_twice_by_a_pattern_is_refused_wherever_it_stands(tmp_path):
    curve = {"chains": ["mlsm", "{mlsm}"], "qfs": [90]}
    with pytest.raises(InputError, match="'mlsm' is named twice"):
        params.load(written(tmp_path, curve=curve))


def test_a_chain_may_be_seen_by_a_detector_alone(tmp_path):
    own = {"curve": {"chains": [], "qfs": []}, "perceived": []}
    found = params.load(written(tmp_path, chains=["gamma", "clahe"], **own))
    assert found.every_chain[:2] == ["gamma", "clahe"]
    assert set(found.every_chain) == {"gamma", "clahe", *found.detection.chains}


@pytest.mark.parametrize("key", ["uncompressed", "others"])
def test_a_chain_that_no_detector_sees_cannot_be_asked_for_more(tmp_path, key):
    asked = ["clahe"] if key == "uncompressed" else {"mtcnn": ["clahe"]}
    detection = {"chains": ["gamma"], "sets": ["DARKFACE"], "detector": "mtcnn", "qfs": [90]}
    with pytest.raises(InputError, match=r"name \['clahe'\], not in detection\.chains"):
        params.load(written(tmp_path, detection=detection | {"iou": [0.5], key: asked}))


def test_a_profile_that_trains_nothing_uses_the_weights_of_another(tmp_path):
    found = params.load(written(tmp_path, weights_of="lol", training={}))
    assert found.weights.name == "lol"
    with pytest.raises(InputError, match="trains nothing, but not 'mlsm'"):
        found.training_of("mlsm", "vae_dark")


def test_a_test_set_that_the_profile_does_not_use_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"merge.test names \['SICE'\]"):
        params.load(written(tmp_path, sets=["LOL", "LSRW"]))


def merged(tmp_path, **changes):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    return written(tmp_path, merge=content["merge"] | changes)


def test_resizing_of_a_set_that_is_not_tested_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"merge.resize_test names \['A7m3'\], not in merge.test"):
        params.load(merged(tmp_path, resize_test={"A7m3": [1200, 900]}))


def test_a_size_is_a_width_and_a_height(tmp_path):
    with pytest.raises(InputError, match=r"merge\.resize_test\.SICE"):
        params.load(merged(tmp_path, resize_test={"SICE": [1200]}))


def test_a_training_on_quality_factors_that_are_not_compressed_is_refused(tmp_path):
    training = {"zero_dce": {"steps": 1, "qfs": [90, 35]}}
    with pytest.raises(InputError, match=r"quality factors \[35\], not in train_qfs"):
        params.load(written(tmp_path, training=training))


def test_the_two_splits_of_sice_are_not_used_together(tmp_path):
    with pytest.raises(InputError, match="two splits of one folder"):
        params.load(written(tmp_path, sets=["LOL", "LSRW", "SICE", "SICE58"]))


def test_a_profile_that_says_nothing_of_views_keeps_the_split_by_scene():
    assert not params.load(params.profile_path("faces")).merge.group_views
    assert params.load(params.profile_path("lol")).merge.group_views


def test_raw_data_come_from_one_place(tmp_path):
    with pytest.raises(InputError, match="exactly one of builtin and external"):
        params.load(written(tmp_path, external=["disk"]))


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"no params file at .*none\.yaml"):
        params.load(tmp_path / "none.yaml")


def test_broken_yaml_is_named(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("chains: [a")
    with pytest.raises(InputError, match="is not valid YAML"):
        params.load(path)


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(InputError, match="known are demo, faces, lol, lol_disjoint, paper"):
        params.profile_path("lowlight")


def test_the_parts_of_mlsm_share_its_settings():
    found = params.load(ROOT / "params.yaml")
    for part in ("vae_dark", "vae_normal", "model"):
        assert found.training_of("mlsm", part).settings == found.training["mlsm"].settings


def test_a_method_the_profile_does_not_train_is_named():
    found = params.load(ROOT / "params.yaml")
    with pytest.raises(InputError, match="but not 'lime'"):
        found.training_of("lime", "model")
