"""Images in folders of the user's own: pairs to score."""

from collections.abc import Sequence
from pathlib import Path

from benchmark import jpeg, userfiles
from benchmark.compression import Case
from benchmark.errors import InputError


def listed(folder: Path) -> dict[str, Path]:
    """Return stem -> image file of a folder, by name.

    Raises:
        InputError: There is no such folder, it holds no images, or two share a stem.
    """
    found: dict[str, Path] = {}
    for file in userfiles.inside(folder):
        if file.stem in found:
            raise InputError(
                f"{folder} holds both {found[file.stem].name} and {file.name}: keep one of them."
            )
        found[file.stem] = file
    return found


def cases(dark: Path, normal: Path, qfs: Sequence[int | None], to: Path) -> list[Case]:
    """Compress a folder of dark images and pair it with its references, by file name.

    Args:
        dark: Folder of uncompressed dark images.
        normal: Folder of normal-light images of the same names (suffixes may differ).
        qfs: Quality factors; None leaves the image as it is.
        to: Folder for the JPEG files.

    Raises:
        InputError: A folder is missing or empty, names do not match, or a quality factor is none.
    """
    inputs, references = listed(dark), listed(normal)
    lonely = sorted(inputs.keys() ^ references.keys())
    if lonely:
        raise InputError(
            f"{dark} and {normal} differ in {len(lonely)} image names, first {lonely[0]!r}: "
            "give every dark image the reference of its name."
        )
    made = []
    for qf in qfs:
        for name, path in inputs.items():
            source = path if qf is None else _compressed(path, qf, to / f"qf{qf}" / f"{name}.jpg")
            reference = references[name]
            made.append(Case(dark.name or "images", name, qf, source, reference, None, own=True))
    return made


def _compressed(path: Path, qf: int, target: Path) -> Path:
    data = jpeg.encode(userfiles.read(path), qf)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target
