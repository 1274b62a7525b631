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
"""Largest image in pixels that a network processes at once, in about 1 GB of memory."""
MEMORY = 2.5
"""Default memory for feature maps in gigabytes; it affects the time but not the result."""
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class EnhanceTask:
    """A photograph and the files of its results.

    Attributes:
        source: File of the photograph.
        target: File of the result.
        comparison: File that shows both side by side, or None.
        page: Index of the page in the source.
        pages: Number of pages of the source.
    """

    source: Path
    target: Path
    comparison: Path | None
    page: int = 0
    pages: int = 1

    @property
    def title(self) -> str:
        """Name of the photograph in messages."""
        page = f", page {self.page + 1}" if self.pages > 1 else ""
        return shown(self.source) + page


@dataclass(frozen=True)
class OutputOptions:
    """Options of the output.

    Attributes:
        form: Format of the files.
        quality: JPEG quality factor.
        compare: Whether to write before and after side by side as well.
        overwrite: Whether existing files may be overwritten.
        megapixels: Largest photograph that is read, in megapixels.
        memory: Memory for feature maps in gigabytes if a network works strip by strip.
    """

    form: photo_io.Format = "png"
    quality: int = photo_io.QUALITY
    compare: bool = False
    overwrite: bool = False
    megapixels: float = images.MEGAPIXELS
    memory: float = MEMORY


def find_photographs(inputs: Sequence[str], to: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photograph and its path below the folder of results, without suffix.

    Args:
        inputs: Files, folders (with all folders in them), or patterns such as `night/*.jpg`.
        to: Folder of the results, which is not searched.

    Raises:
        InputError: An input is missing, or a folder or pattern contains no images.
    """
    for text in inputs:
        path = Path(text)
        if path.is_file():
            yield path, Path(path.stem)
        elif path.is_dir():
            yield from _inside(path, to)
        elif _PATTERN & set(text):
            yield from _matching(text, to)
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
    """Return the tasks for all inputs, before anything is written.

    Each page of a TIFF file becomes a file of its own, `scan_page1.png` and so on.

    Args:
        inputs: See `find_photographs`.
        to: Folder of the results.
        options: Options of the output.

    Raises:
        InputError: An input is missing, two inputs would become the same file, an existing file
            would be lost, or a file could not be written.
    """
    tasks, taken = [], dict[str, tuple[Path, int]]()
    suffix = photo_io.SUFFIX[options.form]
    for source, name in dict.fromkeys(find_photographs(inputs, to)):
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
            tasks.append(EnhanceTask(source, target, beside, page, len(pages)))
    files.check_folder(to)
    files.check(*(path for task in tasks for path in (task.target, task.comparison) if path))
    return tasks


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
    """Enhance one photograph and write its results.

    Returns:
        Phrases for the user about what was left out of the photograph.

    Raises:
        InputError: It cannot be read, enhanced or written, for any reason.
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
    """Apply a chain to an image of any size, with the result of `methods.run`.

    A method that is a network processes larger images strip by strip if it can; see
    `benchmark.photographs.streaming`.

    Args:
        steps: Steps from `benchmark.methods.assemble`.
        pixels: uint8 (H, W, 3).
        quantisation: Quantisation tables of the file, for methods that need them.
        progress: Function that is called with the completed fraction of the work, 0 to 1.
        whole: Largest image in pixels that a network processes at once.
        memory: Memory for feature maps of larger images, in gigabytes.
    """
    context = methods.MethodContext(quantisation)
    for place, step in enumerate(steps):
        network = network_of(step)
        if network is not None and pixels.shape[0] * pixels.shape[1] > whole:
            part = _share_of(progress, place, len(steps))
            pixels = _strips(step, network, pixels, context, part, memory)
        else:
            pixels = methods.run([step], pixels, "sound", context)
        progress((place + 1) / len(steps))
    return pixels


def _share_of(progress: Callable[[float], None], place: int, count: int) -> Callable[[float], None]:
    return lambda share: progress((place + share) / count)


def _strips(
    step: methods.Step,
    network: "nn.Module",
    pixels: Bytes,
    context: methods.MethodContext,
    progress: Callable[[float], None],
    memory: float,
) -> Bytes:
    from benchmark.photographs.streaming import schedule, trace

    try:
        return schedule.enhance(network, pixels, int(memory * 1e9), progress=progress)
    except trace.UnknownOperation:
        return methods.run([step], pixels, "sound", context)


def network_of(step: methods.Step) -> "nn.Module | None":
    """Return the network of a step that consists of one network, otherwise None."""
    if step.plugin.needs == "nothing" and isinstance(step.method, methods.NetworkMethod):
        return step.method.network
    return None
