"""Photographs that come with installed packages, and rendered views of them.

Points and matrices use pixel coordinates (x, y), x = column and y = row, with the centre of
the top-left pixel at (0, 0); a 3x3 matrix acts on the column vector (x, y, 1).
"""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.core.images import Image

Matrix: TypeAlias = NDArray[np.float64]
"""float64 (3, 3), homogeneous, (x, y) pixels to (x, y) pixels."""


class Size(NamedTuple):
    """Width and height of an image in pixels."""

    width: int
    height: int


class Source(NamedTuple):
    """Location of a photograph: distribution to install, import name, path in the package."""

    distribution: str
    package: str
    path: str


SOURCES = {
    "astronaut": Source("scikit-image", "skimage", "data/astronaut.png"),
    "brick": Source("scikit-image", "skimage", "data/brick.png"),
    "camera": Source("scikit-image", "skimage", "data/camera.png"),
    "chelsea": Source("scikit-image", "skimage", "data/chelsea.png"),
    "china": Source("scikit-learn", "sklearn", "datasets/images/china.jpg"),
    "coffee": Source("scikit-image", "skimage", "data/coffee.png"),
    "flower": Source("scikit-learn", "sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": Source("matplotlib", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "grass": Source("scikit-image", "skimage", "data/grass.png"),
    "gravel": Source("scikit-image", "skimage", "data/gravel.png"),
    "lfw_subset": Source("scikit-image", "skimage", "data/lfw_subset.npy"),
    "luispedro": Source("mahotas", "mahotas", "demos/data/luispedro.jpg"),
    "motorcycle": Source("scikit-image", "skimage", "data/motorcycle_left.png"),
}
"""Photographs of the demo. `lfw_subset` is an array: 100 grey faces of 25x25, then 100 others."""


def locate(name: str) -> Path:
    """Find a photograph on disk without importing the package that contains it.

    Raises:
        InputError: The package is missing or was installed without the file.
    """
    source = SOURCES[name]
    spec = importlib.util.find_spec(source.package)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or []:
        path = Path(folder) / source.path
        if path.is_file():
            return path
    raise InputError(
        f"The demo data need {source.path} of the package {source.package}, which is not installed "
        f"here or lacks that file: pip install --force-reinstall --no-deps "
        f"{source.distribution}."
    )


@cache
def read(name: str) -> Image:
    """Read a photograph by its name in `SOURCES`; the array is shared and read-only.

    Raises:
        InputError: As `locate`.
    """
    photograph = images.read(locate(name))
    photograph.flags.writeable = False
    return photograph


@cache
def read_face_crops() -> Image:
    """Read the 100 grey faces of `lfw_subset` as float32 (100, 25, 25, 3), shared and read-only.

    Raises:
        InputError: As `locate`.
    """
    grey = np.load(locate("lfw_subset"))[:100].astype(np.float32)
    return np.broadcast_to(grey[..., None], (*grey.shape, 3))


def view(
    photograph: Image,
    size: Size,
    rng: np.random.Generator,
    margin_px: float = 0.0,
    zoom: tuple[float, float] = (0.55, 1.0),
    keep: tuple[float, float, float, float] | None = None,
) -> Matrix:
    """Choose a window of a photograph at random: place, scale and left-right flip.

    Args:
        photograph: float32 (H, W, 3).
        size: Size of the image that will be rendered through the window.
        rng: Generator for the choice.
        margin_px: Margin around the window on all sides, in pixels of the rendered image.
        zoom: Range of the window's side relative to the largest window that fits. If the photograph
            allows it, windows are so large that nothing is enlarged by more than a quarter.
        keep: Box x0, y0, x1, y1 of the photograph that the window must contain, if any.

    Returns:
        Matrix from rendered pixels to photograph pixels.
    """
    height, width = photograph.shape[:2]
    largest = min(
        (width - 1) / (size.width - 1 + 2 * margin_px),
        (height - 1) / (size.height - 1 + 2 * margin_px),
    )  # photograph pixels per rendered pixel
    scale = min(largest, max(0.8, largest * rng.uniform(*zoom)))
    box = keep or (np.inf, np.inf, -np.inf, -np.inf)
    margin = margin_px * scale
    corner = []
    for length, extent, first, last in (
        (width, (size.width - 1) * scale, box[0], box[2]),
        (height, (size.height - 1) * scale, box[1], box[3]),
    ):
        low = max(margin, last - extent)
        high = max(low, min(length - 1 - margin - extent, first))
        corner.append(rng.uniform(low, high))
    matrix = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]], [0.0, 0.0, 1.0]])
    if rng.random() < 0.5:
        matrix = matrix @ mirror(size)
    return matrix


def mirror(size: Size) -> Matrix:
    """Return the left-right flip of an image of this size, which is its own inverse."""
    return np.array([[-1.0, 0.0, size.width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def drift(size: Size, strength: float, rng: np.random.Generator) -> Matrix:
    """Draw the motion of a camera on a tripod between two shots, a homography near the identity.

    At strength 1: shifts of up to 4 px, up to 0.8 degrees of rotation and 0.8 % of scale about the
    centre, perspective terms up to 8e-6. Corners of a 320x240 image then move by at most 12 px.

    Args:
        size: Size of the image.
        strength: Factor of all ranges, 0 to 1.
        rng: Generator for the choice.

    Returns:
        Matrix from pixels of the first shot to pixels of the second.
    """
    shift_x, shift_y = rng.uniform(-4.0, 4.0, 2) * strength
    angle = np.deg2rad(rng.uniform(-0.8, 0.8) * strength)
    scale = 1.0 + rng.uniform(-0.008, 0.008) * strength
    tilt_x, tilt_y = rng.uniform(-8e-6, 8e-6, 2) * strength
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    centre_x, centre_y = (size.width - 1) / 2, (size.height - 1) / 2
    to_centre = np.array([[1.0, 0.0, -centre_x], [0.0, 1.0, -centre_y], [0.0, 0.0, 1.0]])
    turn = np.array([[cosine, -sine, shift_x], [sine, cosine, shift_y], [tilt_x, tilt_y, 1.0]])
    matrix = np.linalg.inv(to_centre) @ turn @ to_centre
    return np.asarray(matrix / matrix[2, 2])


def transform(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map points (N, 2), each x, y, through a matrix."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def render(photograph: Image, matrix: Matrix, size: Size) -> Image:
    """Sample a photograph through a window: Gaussian low-pass if it shrinks, then bicubic.

    Args:
        photograph: float32 (H, W, 3), [0, 1].
        matrix: From rendered pixels to photograph pixels.
        size: Size of the result.

    Returns:
        float32 (height, width, 3), [0, 1].

    Raises:
        ValueError: The window exceeds the photograph, so that a border would have to be invented.
    """
    import skimage.transform  # takes half a second, which looking up a file need not wait for

    right, bottom = size.width - 1.0, size.height - 1.0
    corners = np.array([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]])
    window = transform(matrix, corners)
    limit = np.array([photograph.shape[1] - 1, photograph.shape[0] - 1])
    if (window < -1e-6).any() or (window > limit + 1e-6).any():
        raise ValueError(
            f"Argument `matrix` must stay inside the photograph, 0, 0 to {limit.tolist()}, but its "
            f"corners are {window.round(1).tolist()}."
        )
    shrink = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    sigma = max(0.0, (shrink - 1.0) / 2)  # the rule of skimage.transform.resize
    smooth = scipy.ndimage.gaussian_filter(photograph, (sigma, sigma, 0))
    warp: Callable[..., NDArray[np.float64]] = skimage.transform.warp  # not annotated itself
    sampled = warp(smooth, matrix, output_shape=(size.height, size.width), order=3, mode="edge")
    return np.clip(sampled, 0.0, 1.0).astype(np.float32)
