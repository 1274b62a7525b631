import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from benchmark.core.errors import InputError
from mlsm.config import LITERAL, SOUND, Config, from_dict


@pytest.mark.parametrize("config", [SOUND, LITERAL, Config(levels=2, aspp_rates=(1, 3))])
def test_config_survives_json(config: Config) -> None:
    assert from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_fields_that_are_absent_come_from_the_preset() -> None:
    config = from_dict({"preset": "literal", "width": 8})
    assert config.width == 8
    assert config.norm == "instance"
    assert config.variant == "literal"


def test_no_fields_give_the_sound_preset() -> None:
    assert from_dict({}) == SOUND


def test_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SOUND.width = 3  # type: ignore[misc]


def test_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="but got depth"):
        from_dict({"depth": 3})


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(InputError, match="must be one of sound, literal"):
        from_dict({"preset": "best"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 0),
        ("width", True),
        ("levels", 0),
        ("levels", 6),
        ("levels", 2.0),
        ("n_res", -1),
        ("variant", "ae"),
        ("norm", "batch"),
        ("output", "sigmoid"),
        ("init", "he"),
        ("mapping", "unet"),
        ("topres", "zero"),
        ("weights", "best"),
        ("aspp_rates", ()),
        ("aspp_rates", (1, 0)),
        ("logvar_bias", 5.0),
        ("exposure_stops", -0.1),
        ("drop_finest", 1.5),
        ("discriminator_width", 0),
    ],
)
def test_value_outside_its_range_is_refused_by_field_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"`{field}`"):
        Config(**{field: value})


def test_group_norm_needs_a_width_that_its_groups_divide() -> None:
    with pytest.raises(InputError, match="multiple of 4"):
        Config(norm="group", width=6)


@pytest.mark.parametrize(("levels", "stride"), [(1, 4), (2, 8), (3, 16), (4, 32)])
def test_stride_counts_the_halvings_of_levels_and_unet(levels: int, stride: int) -> None:
    assert Config(levels=levels).stride == stride


def test_literal_preset_holds_what_the_paper_says() -> None:
    assert (LITERAL.levels, LITERAL.aspp_rates, LITERAL.norm) == (3, (1, 6, 12, 18), "instance")
    assert (LITERAL.mapping, LITERAL.topres, LITERAL.weights) == ("branches", "literal", "paper")


def test_every_field_has_a_default() -> None:
    assert set(Config().to_dict()) == {field.name for field in fields(Config)}
