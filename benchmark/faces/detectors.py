"""The detectors by name, with their weights, settings and code.

Each is imported where it is built, so that reading its name costs no network library.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from benchmark.core import code_digest, locations
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values, sha256
from benchmark.data.labels.boxes import Detector
from benchmark.methods import WeightsFile, assemble, checkpoints


@dataclass(frozen=True)
class Entry:
    """A detector that can be selected in params.yaml.

    Attributes:
        title: Its name in tables and captions, including the test scale.
        build: Function that builds it with its weights.
        weights: Function that returns the SHA-256 of its weights.
        code: The modules that build and run it; their imports count as well.
    """

    title: str
    build: Callable[[], Detector]
    weights: Callable[[], str]
    code: tuple[str, ...]


class Identity(NamedTuple):
    """The identity of the detector that found some boxes.

    Attributes:
        name: Key in `DETECTORS`.
        title: See `Entry`.
        weights: SHA-256 of its weights.
        code: SHA-256 of its code.
    """

    name: str
    title: str
    weights: str
    code: str

    @property
    def digest(self) -> str:
        """SHA-256 over all attributes."""
        return digest_values(list(self))


RETINAFACE = WeightsFile(
    "retinaface_mnet025/RetinaFace_mobilenet025.pth",
    1_789_735,
    "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
    "a public port of RetinaFace (biubug6/Pytorch_Retinaface and its copies), MobileNet 0.25",
)


def _mtcnn() -> Detector:
    from benchmark.faces import mtcnn

    return mtcnn.build()


def _mtcnn_weights() -> str:
    from benchmark.faces import mtcnn

    return mtcnn.weights_digest()


def _retinaface() -> Detector:
    from benchmark.faces import retinaface

    path = assemble.find_released(RETINAFACE)
    if path is None:
        raise InputError(
            f"The detector retinaface needs {RETINAFACE.file} (SHA-256 {RETINAFACE.sha256[:12]}...)"
            f" in weights/released: get it from {RETINAFACE.source}, or choose mtcnn."
        )
    return retinaface.build(checkpoints.read(path))


def _enlarged(single: Callable[[], Detector]) -> Detector:
    """Build a detector that looks at the image, its mirror image and twice its size."""
    from benchmark.faces import multiscale

    return multiscale.voting(single(), multiscale.ENLARGED, multiscale.ENLARGED_PIXELS)


PYRAMIDBOX = ("pyramidbox/official.pth", "pyramidbox/port.pth")
"""Possible files of PyramidBox weights; the name tells which convention they follow."""


def _pyramidbox_file() -> Path:
    for folder in locations.released_folders():
        for name in PYRAMIDBOX:
            if (folder / name).is_file():
                return folder / name
    raise InputError(
        f"The detector pyramidbox needs your own weights as weights/released/{PYRAMIDBOX[0]} "
        f"(fc6 not dilated, scaled after the context modules) or {PYRAMIDBOX[1]} (dilated, scaled "
        "before): none are published with this suite; place them there, or choose mtcnn."
    )


def _pyramidbox(multiple: bool) -> Detector:
    from benchmark.faces import multiscale
    from benchmark.faces.pyramidbox import Config, PyramidBox, adapt

    path = _pyramidbox_file()
    official = path.name == Path(PYRAMIDBOX[0]).name
    network = PyramidBox(Config(dilation=1, scale_first=False) if official else Config())
    try:
        network.load_state_dict(adapt(checkpoints.read(path), network))
    except assemble.MISFITS as error:
        raise InputError(
            f"{path} does not fit PyramidBox ({error}): convert it to the names that "
            "benchmark/faces/pyramidbox.py lists."
        ) from error
    return multiscale.multiple(network) if multiple else multiscale.single(network)


DETECTORS: Mapping[str, Entry] = MappingProxyType(
    {
        "mtcnn": Entry(
            "MTCNN, faces from 12 px",
            _mtcnn,
            _mtcnn_weights,
            ("benchmark.faces.mtcnn",),
        ),
        "mtcnn_multiscale": Entry(
            "MTCNN, scales 1 and 2 with box voting, faces from 6 px",
            lambda: _enlarged(_mtcnn),
            _mtcnn_weights,
            ("benchmark.faces.mtcnn", "benchmark.faces.multiscale"),
        ),
        "pyramidbox": Entry(
            "PyramidBox, single scale",
            lambda: _pyramidbox(multiple=False),
            lambda: sha256(_pyramidbox_file()),
            ("benchmark.faces.pyramidbox", "benchmark.faces.multiscale"),
        ),
        "pyramidbox_multiscale": Entry(
            "PyramidBox, multi-scale with box voting",
            lambda: _pyramidbox(multiple=True),
            lambda: sha256(_pyramidbox_file()),
            ("benchmark.faces.pyramidbox", "benchmark.faces.multiscale"),
        ),
        "retinaface": Entry(
            "RetinaFace MobileNet 0.25, single scale",
            _retinaface,
            lambda: RETINAFACE.sha256,
            ("benchmark.faces.retinaface",),
        ),
        "retinaface_multiscale": Entry(
            "RetinaFace MobileNet 0.25, scales 1 and 2 with box voting",
            lambda: _enlarged(_retinaface),
            lambda: RETINAFACE.sha256,
            ("benchmark.faces.retinaface", "benchmark.faces.multiscale"),
        ),
    }
)
"""Allowed values of `detection.detector` in params.yaml."""


def _entry(name: str) -> Entry:
    if name not in DETECTORS:
        raise InputError(f"Detector must be one of {', '.join(DETECTORS)}, but got {name!r}.")
    return DETECTORS[name]


def detector(name: str) -> Detector:
    """Build a detector.

    Raises:
        InputError: There is no detector of this name, or its weights are absent or corrupt.
    """
    return _entry(name).build()


def identity(name: str) -> Identity:
    """Return the identity of the detector with this name in this installation.

    Raises:
        InputError: There is no detector of this name, or its weights are absent.
    """
    entry = _entry(name)
    return Identity(name, entry.title, entry.weights(), code_digest.of(*entry.code))
