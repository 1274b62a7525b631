"""The built-in raw data: miniatures of every set that `benchmark.data.registry` reads.

They are cut from photographs of installed packages, darkened by `camera.darken`, and written in the
folder layouts and under the file names of the published sets, so that the readers of the real sets
read them. No photograph occurs both in training and in held-out images.
"""

import json
import math
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmark.core import files, images, jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import Image
from benchmark.data.camera import Camera, darken
from benchmark.demo import portraits, sample_photos
from benchmark.demo.sample_photos import Size

SETS = ("LOL", "LSRW", "SICE", "RELLISUR", "LabelMe", "A7m3", "DARK FACE", "WIDER FACE")
TRUTH = "truth.json"
TRAINING = ("china", "motorcycle", "coffee", "chelsea")
"""Photographs of the training pairs; `TEXTURES` join them in LabelMe."""
TEXTURES = ("gravel", "camera", "grass")
HELD_OUT = ("astronaut", "flower", "grace_hopper", "luispedro")
"""Photographs of the test pairs; DARK FACE shows their people, lfw_subset and brick."""

CONVENTION = (
    "photographs: file -> photographs it shows. homographies: dark file -> 3x3 matrix H, row by "
    "row, or 'mispaired' where the normal-light image of that name shows another scene. H maps "
    "pixels of the normal-light image to pixels of the dark image: (x', y', 1) ~ H (x, y, 1), x = "
    "column, y = row, centre of the top-left pixel at (0, 0)."
)

_QUALITY = 95  # of the sets that are published as JPEG
_MARGIN_PX = 12  # what `photographs.drift` may move a corner by
_LOL = Camera(white_electrons=25_000, read_electrons=3.0, bits=12)
_LSRW = Camera(white_electrons=60_000, read_electrons=3.0, bits=12)  # low ISO, averaged from 20 MP
_SICE = Camera(white_electrons=60_000, read_electrons=3.0, bits=14)
_RELLISUR = Camera(white_electrons=40_000, read_electrons=3.0, bits=14)
_A7M3 = Camera(white_electrons=50_000, read_electrons=2.0, bits=14)
_DARK_FACE = Camera(white_electrons=25_000, read_electrons=3.0, bits=12)
_SICE_STOPS = {
    7: (-4.2, -2.8, -1.4, 0.0, 0.8, 1.6, 2.4),
    9: (-4.2, -3.2, -2.1, -1.1, 0.0, 0.6, 1.2, 1.8, 2.4),
}  # by number of exposures; the middle one is the exposure of the label


@dataclass(frozen=True)
class _Shot:
    """A dark image of a scene: its file, its exposure, and a photograph shown by mistake."""

    file: str
    exposure: float
    decoy: str | None = None


@dataclass(frozen=True)
class _Writer:
    """Destination of the files, and the ground truth about those written so far."""

    root: Path
    seed: int
    photographs: dict[str, list[str]] = field(default_factory=dict)
    homographies: dict[str, list[list[float]] | str] = field(default_factory=dict)

    def rng(self, name: str) -> np.random.Generator:
        """Return a separate generator for each file, so that adding a file changes no other."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def save(self, name: str, image: Image, shown: Iterable[str]) -> None:
        path = self.root / name
        if path.suffix.lower() == ".jpg":
            files.write_bytes(path, jpeg.encode(images.to_uint8(image), _QUALITY))
        else:
            images.write(path, image)
        self.photographs[name] = sorted(shown)

    def save_truth(self) -> None:
        truth = {
            "convention": CONVENTION,
            "photographs": self.photographs,
            "homographies": self.homographies,
        }
        files.write_text(self.root / TRUTH, json.dumps(truth, indent=1) + "\n")


def write(root: Path, seed: int) -> None:
    """Write the miniature of every raw set, and `truth.json` about them, under a folder.

    The sets are written in a hidden folder beside their final places and moved there when all are
    complete, `truth.json` last. Existing files are never overwritten.

    Args:
        root: Folder of the raw sets; created if it is missing.
        seed: Seed, at least 0. The same seed gives the same bytes on the same installation.

    Raises:
        InputError: A set or `truth.json` already exists, the seed is negative, or a package with a
            photograph is missing.
    """
    if seed < 0:
        raise InputError(f"The seed of the demo data must be at least 0, but got {seed}.")
    for name in (*SETS, TRUTH):
        if (root / name).exists():
            raise InputError(
                f"{root / name} exists, and the demo data never overwrite raw data: move it away "
                "or choose another folder."
            )
    partial = root / ".demo.partial"
    if partial.exists():
        shutil.rmtree(partial)  # an interrupted run left it
    partial.mkdir(parents=True)
    writer = _Writer(partial, seed)
    for write_set in (_lol, _lsrw, _sice, _rellisur, _labelme, _a7m3, _dark_face, _wider):
        write_set(writer)
    writer.save_truth()
    for name in (*SETS, TRUTH):
        (partial / name).rename(root / name)
    partial.rmdir()


def _lol(writer: _Writer) -> None:
    size = Size(300, 200)  # 600x400 in the published set
    training = (2, 6, 12, 14, 17, 21, 26, 28, 35, 39, 42, 45, 47, 51, 53, 56, 59, 61, 64, 68)
    for folder, numbers, shown in (
        ("our485", training, TRAINING),
        ("eval15", (1, 22, 111, 493), HELD_OUT),
    ):
        for index, number in enumerate(numbers):
            low, high = (f"LOL/{folder}/{side}/{number}.png" for side in ("low", "high"))
            shot = _Shot(low, _exposure(writer, low, 0.008, 0.06))
            _shoot(writer, high, [shot], shown[index % len(shown)], size, _LOL)


def _lsrw(writer: _Writer) -> None:
    """Write LSRW, misaligned as published; two training pairs show different scenes, as some do."""
    for camera, size, held_out in (
        ("Huawei", Size(320, 240), (2062, 2064)),  # 960x720 in the published set
        ("Nikon", Size(300, 200), (3008, 3018)),  # 960x640
    ):
        for number in range(1, 7):
            shown, other = TRAINING[(number - 1) % 4], TRAINING[(number + 1) % 4]
            low, high = (
                f"LSRW/Training data/{camera}/{side}/{number}.jpg" for side in ("low", "high")
            )
            exposure = _exposure(writer, low, 0.04, 0.15)
            shot = _Shot(low, exposure, decoy=other if number == 5 else None)
            _shoot(writer, high, [shot], shown, size, _LSRW, drift=1.0)
        for index, number in enumerate(held_out):
            low, high = (f"LSRW/Eval/{camera}/{side}/{number}.jpg" for side in ("low", "high"))
            shown = HELD_OUT[index if camera == "Huawei" else index + 2]
            shot = _Shot(low, _exposure(writer, low, 0.04, 0.15))
            _shoot(writer, high, [shot], shown, size, _LSRW, drift=0.5)


def _sice(writer: _Writer) -> None:
    """Write SICE with seven or nine exposures per sequence, the darkest first."""
    for part, sequences in (
        ("Dataset_Part1", {1: ("coffee", 7), 2: ("china", 9), 3: ("chelsea", 7)}),
        ("Dataset_Part2", {1: ("astronaut", 7), 2: ("flower", 9)}),
    ):
        for sequence, (shown, count) in sequences.items():
            shots = [
                _Shot(f"SICE/{part}/{sequence}/{index}.JPG", 2.0**stops)
                for index, stops in enumerate(_SICE_STOPS[count], start=1)
            ]
            label = f"SICE/{part}/Label/{sequence}.JPG"
            _shoot(writer, label, shots, shown, Size(288, 192), _SICE)


def _rellisur(writer: _Writer) -> None:
    """Write RELLISUR with several under-exposures per scene; one training file is mispaired."""
    size = Size(240, 240)  # square in the published set too
    for split, scenes, stops, drift in (
        ("Train", {18: "china", 19: "motorcycle", 20: "coffee"}, (-2.5, -3.0, -3.5, -4.5), 0.5),
        ("Val", {725: "flower"}, (-2.5, -4.0), 0.0),
        ("Test", {810: "astronaut"}, (-2.5, -4.0), 0.0),
    ):
        for scene, shown in scenes.items():
            shots = [
                _Shot(
                    f"RELLISUR/{split}/LLLR/{scene:05d}{stop:.1f}.png",
                    2.0**stop,
                    decoy="china" if (scene, stop) == (19, -3.5) else None,
                )
                for stop in stops
            ]
            reference = f"RELLISUR/{split}/NLHR/X1/{scene:05d}.png"
            _shoot(writer, reference, shots, shown, size, _RELLISUR, drift)


def _labelme(writer: _Writer) -> None:
    """Write LabelMe, which has only normal-light images."""
    size, sources = Size(256, 192), (*TRAINING, *TEXTURES)
    for index in range(24):
        shown = sources[index % len(sources)]
        name = f"LabelMe/Images/static_{shown}/img_{index + 1:04d}.jpg"
        photograph = sample_photos.read(shown)
        window = sample_photos.view(photograph, size, writer.rng(name))
        writer.save(name, sample_photos.render(photograph, window, size), [shown])


def _a7m3(writer: _Writer) -> None:
    for index, shown in enumerate(("motorcycle", "china", "gravel", "coffee", "chelsea", "china")):
        low, normal = (f"A7m3/{side}/DSC{index + 1:05d}.png" for side in ("low", "normal"))
        shot = _Shot(low, _exposure(writer, low, 0.01, 0.05))
        _shoot(writer, normal, [shot], shown, Size(300, 200), _A7M3)


def _dark_face(writer: _Writer) -> None:
    """Write DARK FACE: single people and walls of 2 to 6 portraits, with their labels."""
    size = Size(396, 264)  # 1080x720 in the published set
    contents: tuple[str | int, ...] = ("astronaut", 2, 3, "grace_hopper", 4, 5, 6, 6)
    for number, content in enumerate(contents, start=1):
        name = f"DARK FACE/image/{number}.png"
        rng = writer.rng(name)
        scene = (
            portraits.snapshot(content, size, rng)
            if isinstance(content, str)
            else portraits.gallery(content, size, rng)
        )
        camera = _night(_DARK_FACE, _exposure(writer, name, 0.015, 0.06), rng)
        writer.save(name, darken(scene.image, camera, rng), scene.photographs)
        lines = [" ".join(str(round(edge)) for edge in box) for box in scene.boxes.tolist()]
        label = writer.root / f"DARK FACE/label/{number}.txt"
        files.write_text(label, "\n".join([str(len(lines)), *lines]) + "\n")


def _wider(writer: _Writer) -> None:
    """Write WIDER FACE: normal-light images with faces, which the pipeline darkens."""
    lines = []
    for number, portraits_shown in enumerate((2, 4, 6), start=1):
        event = f"0--Parade/0_Parade_{number}.jpg"
        name = f"WIDER FACE/WIDER_val/images/{event}"
        scene = portraits.gallery(portraits_shown, Size(396, 264), writer.rng(name))
        writer.save(name, scene.image, scene.photographs)
        corners = scene.boxes.round().astype(int)
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
        lines += [event, str(len(boxes)), *(" ".join(map(str, [*b, *[0] * 6])) for b in boxes)]
    path = writer.root / "WIDER FACE/wider_face_split/wider_face_val_bbx_gt.txt"
    files.write_text(path, "\n".join(lines) + "\n")


def _exposure(writer: _Writer, name: str, low: float, high: float) -> float:
    """Draw an exposure, uniform in stops, for a file."""
    rng = writer.rng(f"exposure of {name}")
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _night(sensor: Camera, exposure: float, rng: np.random.Generator) -> Camera:
    """Expose a sensor under a lamp whose colour is off by up to 8 % a channel."""
    red, green, blue = rng.uniform(0.92, 1.08, 3).tolist()
    return replace(sensor, exposure=exposure, white_balance=(red, green, blue))


def _shoot(
    writer: _Writer,
    reference: str,
    shots: Sequence[_Shot],
    shown: str,
    size: Size,
    sensor: Camera,
    drift: float = 0.0,
) -> None:
    """Write the normal-light image of a scene and its dark images.

    Args:
        writer: Takes the files.
        reference: File of the normal-light image.
        shots: The dark images.
        shown: Name of the photograph.
        size: Size of all images.
        sensor: What took the dark images.
        drift: Strength of the camera's movement between two shots, see `photographs.drift`.
    """
    rng = writer.rng(reference)
    margin = _MARGIN_PX if drift else 0
    photograph = sample_photos.read(shown)
    window = sample_photos.view(photograph, size, rng, margin)
    writer.save(reference, sample_photos.render(photograph, window, size), [shown])
    for shot in shots:
        rng = writer.rng(shot.file)
        moved = sample_photos.drift(size, drift, rng)
        scene, origin = photograph, window
        if shot.decoy:
            scene = sample_photos.read(shot.decoy)
            origin = sample_photos.view(scene, size, rng, margin)
        normal = sample_photos.render(scene, origin @ np.linalg.inv(moved), size)
        dark = darken(normal, _night(sensor, shot.exposure, rng), rng)
        writer.save(shot.file, dark, [shot.decoy or shown])
        writer.homographies[shot.file] = "mispaired" if shot.decoy else moved.tolist()
