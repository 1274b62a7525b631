"""Enhance photographs of any size with a chain: list the files, plan the outputs, write them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import methods
from benchmark.core import files, images, numerics, user_files
from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes
from benchmark.core.jpeg import Tables
from benchmark.photographs import photo_io

if TYPE_CHECKING:
    from torch import nn

WHOLE = 1_500_000
"""Pixels up to which a network sees the whole image at once: about 1 GB of memory."""
MEMORY = 2.5
"""Gigabytes of feature maps kept by default; results are equal with more or less, times are not."""
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class EnhanceTask:
    """A photograph and what it becomes.

    Attributes:
        source: The file.
        target: The file of the result.
        comparison: The file that compares both, or None.
        page: Which page of the source it is.
        pages: How many pages the source has.
    """

    source: Path
    target: Path
    comparison: Path | None
    page: int = 0
    pages: int = 1

    @property
    def title(self) -> str:
        """What a message calls it."""
        page = f", page {self.page + 1}" if self.pages > 1 else ""
        return shown(self.source) + page


@dataclass(frozen=True)
class OutputOptions:
    """How results are written.

    Attributes:
        form: Format of the files.
        quality: JPEG quality factor.
        compare: Whether to write before and after beside each other as well.
        overwrite: Whether files that exist may be written over.
        megapixels: Size up to which photographs are read.
        memory: Gigabytes of feature maps that are kept where a network works strip by strip.
    """

    form: photo_io.Format = "png"
    quality: int = photo_io.QUALITY
    compare: bool = False
    overwrite: bool = False
    megapixels: float = images.MEGAPIXELS
    memory: float = MEMORY


def found(inputs: Sequence[str], to: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photograph and its path below the folder of results, without suffix.

    Args:
        inputs: Files, folders (with all folders in them), or patterns such as `night/*.jpg`.
        to: Folder of the results, in which nothing is looked for.

    Raises:
        InputError: An input is missing, or a folder or pattern holds no images.
    """
    for given in inputs:
        path = Path(given)
        if path.is_file():
            yield path, Path(path.stem)
        elif path.is_dir():
            yield from _inside(path, to)
        elif _PATTERN & set(given):
            yield from _matching(given, to)
        else:
            raise InputError(f"{shown(path)} is neither a file nor a folder: check the path.")


def _inside(folder: Path, to: Path) -> Iterator[tuple[Path, Path]]:
    photographs = [
        file for file in user_files.inside(folder, deep=True) if not _is_result(file, to)
    ]
    if not photographs:
        raise InputError(
            f"{shown(folder)} holds no images but results in {shown(to)}: check the path."
        )
    yield from ((file, file.relative_to(folder).with_suffix("")) for file in photographs)


def _matching(pattern: str, to: Path) -> Iterator[tuple[Path, Path]]:
    parts = Path(pattern).parts
    count = next(place for place, part in enumerate(parts) if _PATTERN & set(part))
    start = Path(*parts[:count]) if count else Path()
    matches = user_files.pictures(start.glob(str(Path(*parts[count:]))), start)
    photographs = [file for file in matches if not _is_result(file, to)]
    if not photographs:
        raise InputError(f"No image matches {shown(pattern)}: check the pattern.")
    yield from ((file, file.relative_to(start).with_suffix("")) for file in photographs)


def _is_result(file: Path, to: Path) -> bool:
    return file.resolve().is_relative_to(to.resolve())


def plan(inputs: Sequence[str], to: Path, options: OutputOptions) -> list[EnhanceTask]:
    """Return what becomes of all inputs, before anything is written.

    Each page of a TIFF file becomes a file of its own, `scan_page1.png` and so on.

    Args:
        inputs: See `found`.
        to: Folder of the results.
        options: How they are written.

    Raises:
        InputError: An input is missing, two would become one file, a file would be lost, or one
            could not be written.
    """
    made, taken = [], dict[str, tuple[Path, int]]()
    suffix = photo_io.SUFFIX[options.form]
    for source, name in dict.fromkeys(found(inputs, to)):
        pages = user_files.pages(source)
        for page in pages:
            stem = f"{name.name}_page{page + 1}" if len(pages) > 1 else name.name
            target = to / name.with_name(stem + suffix)
            beside = target.with_name(f"{stem}_compare{suffix}") if options.compare else None
            for path in filter(None, (target, beside)):
                other, other_page = taken.setdefault(str(path).casefold(), (source, page))
                if (other, other_page) != (source, page):
                    raise InputError(
                        f"{shown(other)} and {shown(source)} would both become {shown(path)}: "
                        "rename one."
                    )
                _check_existing(path, source, options.overwrite)
            made.append(EnhanceTask(source, target, beside, page, len(pages)))
    files.check_folder(to)
    files.check(*(path for task in made for path in (task.target, task.comparison) if path))
    return made


def _check_existing(path: Path, source: Path, overwrite: bool) -> None:
    if path.exists() and source.samefile(path):
        raise InputError(f"{shown(source)} would overwrite itself: choose another folder.")
    if path.exists() and not overwrite:
        raise InputError(
            f"{shown(path)} exists: choose another folder, or allow it with --overwrite."
        )


def run(
    task: EnhanceTask,
    steps: Sequence[methods.Step],
    options: OutputOptions,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[str, ...]:
    """Enhance one photograph and write what it becomes.

    Returns:
        What of the photograph was left out, as phrases for its user.

    Raises:
        InputError: It cannot be read, enhanced or written, for whatever reason.
    """
    try:
        return _enhance_file(task, steps, options, progress)
    except InputError as error:
        raise InputError(
            f"Page {task.page + 1} of {error}" if task.pages > 1 else str(error)
        ) from error
    except Exception as error:  # of a method from elsewhere, or of Pillow on a foreign file
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise InputError(
                f"{task.title} is too large for this chain on this machine: reduce it, or use the "
                "default chain, which works strip by strip."
            ) from error
        raise InputError(
            f"{task.title} could not be enhanced ({type(error).__name__}: {error}): leave it out, "
            "or report this."
        ) from error


def _enhance_file(
    task: EnhanceTask,
    steps: Sequence[methods.Step],
    options: OutputOptions,
    progress: Callable[[float], None],
) -> tuple[str, ...]:
    before = photo_io.read(task.source, task.page, options.megapixels)
    height, width = before.pixels.shape[:2]
    with numerics.threads_for(height * width):
        pixels = enhance_image(steps, before.pixels, before.tables, progress, memory=options.memory)
    after = photo_io.Photograph(pixels, before.exif, before.profile)
    notes = before.notes + photo_io.write(task.target, after, options.form, options.quality)
    if task.comparison:
        both = photo_io.side_by_side(before.pixels, pixels)
        beside = photo_io.Photograph(both, profile=before.profile)
        photo_io.write(task.comparison, beside, options.form, options.quality)
    return notes


def enhance_image(
    steps: Sequence[methods.Step],
    pixels: Bytes,
    quantisation: Tables,
    progress: Callable[[float], None] = lambda share: None,
    whole: int = WHOLE,
    memory: float = MEMORY,
) -> Bytes:
    """Apply a chain to an image of any size, as `methods.run` does to one that fits in memory.

    A method that is a network works strip by strip above a size, where it can; see
    `benchmark.photographs.streaming`.

    Args:
        steps: From `benchmark.weights.assemble`.
        pixels: uint8 (H, W, 3).
        quantisation: Quantisation tables of the file, for the methods that need them.
        progress: Told the share of the work that is done, from 0 to 1.
        whole: Pixels up to which a network sees the whole image at once.
        memory: Gigabytes of feature maps to keep above that size.
    """
    given = methods.MethodContext(quantisation)
    for place, step in enumerate(steps):
        network = network_of(step)
        if network is not None and pixels.shape[0] * pixels.shape[1] > whole:
            part = _share_of(progress, place, len(steps))
            pixels = _strips(step, network, pixels, given, part, memory)
        else:
            pixels = methods.run([step], pixels, "sound", given)
        progress((place + 1) / len(steps))
    return pixels


def _share_of(progress: Callable[[float], None], place: int, count: int) -> Callable[[float], None]:
    return lambda share: progress((place + share) / count)


def _strips(
    step: methods.Step,
    network: "nn.Module",
    pixels: Bytes,
    given: methods.MethodContext,
    progress: Callable[[float], None],
    memory: float,
) -> Bytes:
    from benchmark.photographs.streaming import schedule, trace

    try:
        return schedule.enhance(network, pixels, int(memory * 1e9), progress=progress)
    except trace.UnknownOperation:
        return methods.run([step], pixels, "sound", given)


def network_of(step: methods.Step) -> "nn.Module | None":
    """Return the network that a step is, or None where it is more than one network."""
    if step.plugin.needs == "nothing" and isinstance(step.method, methods.NetworkMethod):
        return step.method.network
    return None
