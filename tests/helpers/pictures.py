"""Pictures and colour conversions that several tests share."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import skimage.data
from hypothesis import settings
from hypothesis import strategies as st

from benchmark.core.images import Bytes, write
from benchmark.data.manifest import Pair

# The same examples in every run, none stored.
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def photograph(height: int, width: int, seed: int) -> Bytes:
    """Return a piece of a real photograph."""
    row, column = np.random.default_rng(seed).integers(0, 300, 2)
    return np.ascontiguousarray(skimage.data.astronaut()[row:, column:][:height, :width])


def write_pairs(
    folder: Path, dark: Sequence[str] = ("1", "2", "3"), normal: Sequence[str] = ()
) -> tuple[Path, Path]:
    """Write photographs and the same at a sixth of the light; returns the folders, dark first."""
    for seed, (low, high) in enumerate(zip(dark, normal or dark, strict=True)):
        pixels = photograph(48, 64, seed)
        write(folder / "normal" / f"{high}.png", pixels)
        write(folder / "dark" / f"{low}.png", (pixels // 6).astype(np.uint8))
    return folder / "dark", folder / "normal"


def picture(path: Path, size: tuple[int, int] = (8, 6), level: int = 0) -> Path:
    """Write a picture of one level of grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, (level, level, level)).save(path)
    return path


def pair(root: Path, name: str = "1", level: int = 0) -> Pair:
    """Write a pair of LOL's training images."""
    dark = picture(root / "low" / f"{name}.png", level=level)
    return Pair("LOL", "train", name, dark, picture(root / "high" / f"{name}.png", level=200))


def noisy(pixels: Bytes, seed: int, sigma: float = 12.0) -> Bytes:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def grey_of(pixels: Bytes) -> np.ndarray:
    return pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def flat(value: int, height: int = 16, width: int = 16) -> Bytes:
    return np.full((height, width, 3), value, np.uint8)


def halves(left: int, right: int, column: int = 8) -> Bytes:
    """Return 16 x 16 pixels with one vertical edge before `column`."""
    pixels = flat(left)
    pixels[:, column:] = right
    return pixels


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Bytes, Bytes]:
    """Draw two arrays of one odd size, from nearly black to the full range."""
    shape = (draw(st.integers(11, 36)), draw(st.integers(11, 36)), 3)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 3, 4, 16, 256]))
    output, reference = random.integers(0, levels, (2, *shape), dtype=np.uint8)
    if draw(st.booleans()):
        output = output // 2 + reference // 2  # resembles the reference
    return output, reference


def renumbered(
    data: bytes, numbers: tuple[int, ...], unused: bool = False, wide: bool = False
) -> bytes:
    """Return a JPEG file with its quantisation tables elsewhere; it decodes to the same pixels.

    Args:
        data: From Pillow, whose tables are 0 (luma) and 1 (chroma).
        numbers: What they are called instead, and defined in the order of.
        unused: Whether a table that no component names stands before them.
        wide: Whether steps are stored in 16 bits.
    """
    made, place, steps = data[:2], 2, {}
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        marker, body = data[place + 1], bytearray(data[place + 4 : end])
        if marker == 0xDB:
            steps |= {body[at]: body[at + 1 : at + 65] for at in range(0, len(body), 65)}
        else:
            if marker in (0xC0, 0xC2):
                for component in range(body[5]):
                    body[8 + 3 * component] = numbers[body[8 + 3 * component]]
            made += data[place : place + 4] + body
        place = end
    tables = sorted((number, steps[old]) for old, number in enumerate(numbers))
    if unused:
        tables.insert(0, (min({0, 1, 2, 3} - set(numbers)), bytearray([99] * 64)))
    segment = b"".join(
        bytes([number + 16 * wide]) + b"".join(step.to_bytes(1 + wide, "big") for step in table)
        for number, table in tables
    )
    return made + b"\xff\xdb" + (2 + len(segment)).to_bytes(2, "big") + segment + data[place:]
