"""Scenes with labelled faces: one person, or a wall of framed portraits.

Boxes are x0, y0, x1, y1 in pixels and tight around the head from forehead to chin, as WIDER FACE
and DARK FACE draw them (Yang et al., CVPR 2016). They were drawn by hand on the photographs.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.core.images import Image
from benchmark.demo import sample_photos
from benchmark.demo.sample_photos import Matrix, Size

Box: TypeAlias = tuple[float, float, float, float]


class Scene(NamedTuple):
    """A normal-light image with faces.

    Attributes:
        image: float32 (H, W, 3), sRGB, [0, 1].
        boxes: float64 (N, 4), x0, y0, x1, y1 in pixels.
        photographs: Names in `sample_photos.SOURCES` of the photographs that it shows.
    """

    image: Image
    boxes: NDArray[np.float64]
    photographs: tuple[str, ...]


class Portrait(NamedTuple):
    """Window of a photograph to print, and box of its face, both in pixels of the photograph."""

    crop: Box
    face: Box


PEOPLE = {
    "astronaut": Portrait((150, 20, 310, 215), (181, 64, 271, 179)),
    "grace_hopper": Portrait((120, 12, 400, 385), (168, 124, 362, 332)),
    "luispedro": Portrait((0, 0, 299, 376), (42, 66, 224, 322)),
}
LFW = Portrait((0, 0, 24, 24), (3, 1, 21, 24))
"""The crops of LFW are aligned to each other, so one box fits all that face the camera."""
LFW_FRONTAL = (2, 3, 8, 15, 18, 25, 36, 40, 41, 46, 52, 63, 73, 77, 79, 93, 94, 98)
"""Crops with an upright, evenly lit face that looks at the camera."""

_BRICK_TINT = np.array([1.0, 0.78, 0.66], np.float32)  # the photograph is grey
_PAPER = np.array([0.86, 0.85, 0.82], np.float32)  # the white margin of a print
_SLOTS = (4, 2)  # columns and rows of places for a print


def snapshot(name: str, size: Size, rng: np.random.Generator) -> Scene:
    """Frame one person of `PEOPLE`, anywhere in the image, left-right flipped or not."""
    photograph, face = sample_photos.read(name), PEOPLE[name].face
    window = sample_photos.view(photograph, size, rng, zoom=(0.9, 1.0), keep=face)
    image = sample_photos.render(photograph, window, size)
    return Scene(image, _project(window, face)[None], (name,))


def gallery(faces: int, size: Size, rng: np.random.Generator) -> Scene:
    """Hang portraits on a brick wall.

    Args:
        faces: Number of portraits, 1 to 8; every second one is from LFW, until people run out.
        size: Size of the image, at least 396x264.
        rng: Generator for the choice of people, places and sizes.

    Returns:
        The scene, with one box per portrait.
    """
    wall = sample_photos.read("brick") * _BRICK_TINT
    image = sample_photos.render(wall, sample_photos.view(wall, size, rng), size)
    people = [str(name) for name in rng.permutation(sorted(PEOPLE))[: (faces + 1) // 2]]
    crops = rng.choice(LFW_FRONTAL, faces - len(people), replace=False)
    slots = rng.permutation(_SLOTS[0] * _SLOTS[1])[:faces]
    sitters = [(sample_photos.read(name), PEOPLE[name]) for name in people]
    sitters += [(sample_photos.read_face_crops()[crop], LFW) for crop in crops]
    boxes = [
        _hang(image, photograph, portrait, int(slot), rng)
        for (photograph, portrait), slot in zip(sitters, slots, strict=True)
    ]
    names = ["brick", *people, *(["lfw_subset"] if len(crops) else [])]
    return Scene(image, np.array(boxes), tuple(names))


def _hang(
    wall: Image, photograph: Image, portrait: Portrait, slot: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Put a print of a portrait into its slot of `wall`, in place, and return the face's box."""
    x0, y0, x1, y1 = portrait.crop
    height = round(88 * 4.0 ** -rng.random())
    size = Size(round(height * (x1 - x0) / (y1 - y0)), height)
    scale = np.array([(x1 - x0) / (size.width - 1), (y1 - y0) / (size.height - 1)])
    window: Matrix = np.array([[scale[0], 0.0, x0], [0.0, scale[1], y0], [0.0, 0.0, 1.0]])
    if rng.random() < 0.5:
        window = window @ sample_photos.mirror(size)
    margin = max(2, height // 20)
    outer = Size(size.width + 2 * margin, height + 2 * margin)
    cell = Size(wall.shape[1] // _SLOTS[0], wall.shape[0] // _SLOTS[1])
    left = (slot % _SLOTS[0]) * cell.width + int(rng.integers(cell.width - outer.width + 1))
    top = (slot // _SLOTS[0]) * cell.height + int(rng.integers(cell.height - outer.height + 1))
    wall[top : top + outer.height, left : left + outer.width] = _PAPER
    left, top = left + margin, top + margin
    wall[top : top + height, left : left + size.width] = sample_photos.render(
        photograph, window, size
    )
    face = _project(window, portrait.face)
    return np.asarray(face + np.array([left, top, left, top]))


def _project(window: Matrix, box: Box) -> NDArray[np.float64]:
    """Map a box of a photograph to an image rendered through an upright window."""
    inverse = np.linalg.inv(window).astype(np.float64)
    corners = sample_photos.transform(inverse, np.array(box, np.float64).reshape(2, 2))
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])
