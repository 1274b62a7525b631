"""The weights that RUAS's authors released, and what their names are here."""

import re
from collections.abc import Mapping

from torch import Tensor

from benchmark.methods import Released, WeightsFile

_SOURCE = "https://github.com/KarelZhang/RUAS"
_OPERATIONS = {"c1_d": 0, "c1_r": 1, "c2_d": 2, "c2_r": 3, "c3_d": 4, "c3_r": 5, "c4": 6}
_RENAMES = (
    (re.compile(r"^enhance_net\.iems\.(\d)\.cell\."), r"illumination.\1."),
    (re.compile(r"^denoise_net\."), "noise."),
    (re.compile(r"nrms\."), "cells."),
    (re.compile(r"stem\."), "head."),
    (re.compile(r"activate\.0\."), "tail."),
    (re.compile(r"c5\."), "fuse."),
)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the authors' `enhance_net.iems.0.cell.c2_d.op.weight` into ours."""
    return {_name(name): value for name, value in state.items()}


def _name(name: str) -> str:
    for pattern, ours in _RENAMES:
        name = pattern.sub(ours, name)
    return re.sub(
        r"(c\d_[dr]|c4)\.op\.", lambda match: f"operations.{_OPERATIONS[match[1]]}.", name
    )


def _noise_alone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"noise.{name}": value for name, value in renamed(state).items()}


def _file(name: str, folder: str, size: int, sha256: str) -> tuple[WeightsFile, ...]:
    return (WeightsFile(f"ruas/{name}.pt", size, sha256, f"{_SOURCE} ({folder})"),)


RELEASED = (
    Released(
        name="lol",
        files=_file(
            *("lol", "ckpt", 31_374),
            "f45a881a9b836fff4a3172481f28c9eb4d91bc4df54ec064092f39ce40abcdcd",
        ),
        adapt=renamed,
    ),
    Released(
        name="upe",
        files=_file(
            *("upe", "ckpt", 31_374),
            "2252d3d909e346b547232c7015f034685aac75181171c6caf90ee12d87ca36c1",
        ),
        adapt=renamed,
        settings={"denoise": False},
    ),
    Released(
        name="dark",
        files=_file(
            *("dark", "ckpt", 31_374),
            "59083ec4dd4a2b7926c182a4add1519b9646a3aca6c39cfdb7d496fe885828e4",
        ),
        adapt=renamed,
        settings={"denoise": False},
    ),
    Released(
        name="denoise",
        files=_file(
            *("denoise", "model", 14_706),
            "15b64a9cb813ac1fef7b741a99ca7c6a7cc003525814ab3c624b82b0b5774dea",
        ),
        adapt=_noise_alone,
        partial="noise removal alone, which the authors start training from",
    ),
)
"""The track `released` uses `lol`, as the paper did: its printed row on LOL is reproduced."""
