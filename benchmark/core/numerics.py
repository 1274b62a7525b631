"""How this process computes: denormals count as zero, threads fit the work and the machine.

A denormal number is smaller than 1.2e-38 in float32. Released weights hold thousands of them, they
change no pixel, and a processor takes up to a hundred times longer to multiply one: Zero-DCE's
released weights take a minute an image on some machines. Whether they are flushed is a state of
the thread, which threads started later inherit; so the package sets it when it is imported, before
a library has started its threads. NumPy, torch and its backward passes follow that state.

Threads of one operation wait for each other. By default they wait busily: where another process
has their core, they hold up the one that they wait for, and two threads take ten times longer than
one. Here they sleep, they are as many as the cores that this process may use, and little work has
fewer.
"""

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class _Control(NamedTuple):
    """Where C's `fenv_t` keeps the control word of the vector unit."""

    offset: int
    """Bytes."""
    flush: int
    """Bits that flush denormal results and operands."""


_CONTROLS = {"x86_64": _Control(28, 0x8040), "aarch64": _Control(0, 1 << 24)}
"""Of Linux: MXCSR's FTZ and DAZ, FPCR's FZ."""
_FENV_BYTES = 64
"""At least the size of `fenv_t`."""
ONNX_OPTIONS = (
    ("session.set_denormal_as_zero", "1"),
    ("session.intra_op.allow_spinning", "0"),
)
"""Entries of an ONNX Runtime session, which has its own threads."""
WAITING = ("OMP_WAIT_POLICY", "PASSIVE")
"""Environment variable that OpenMP reads as it is loaded, and how its threads shall wait."""
PIXELS_PER_THREAD = 50_000
"""Work below which a thread more costs as much as it saves."""


def flush_denormals() -> bool:
    """Make denormal numbers count as zero in this thread and those that it starts from now on.

    Work of a thread that somebody else started, such as a Dask worker's, calls it again.

    Returns:
        Whether they do now; a processor that does not offer it computes the same 8-bit images, in
        more time.
    """
    control = _CONTROLS.get(platform.machine()) if sys.platform == "linux" else None
    if control is not None and hasattr(ctypes.CDLL(None), "fesetenv"):
        _set_bits(control)
    else:  # torch knows other systems, but takes a second to load
        import torch

        torch.set_flush_denormal(True)
    return denormals_are_flushed()


def _set_bits(control: _Control) -> None:
    libc = ctypes.CDLL(None)
    environment = (ctypes.c_ubyte * _FENV_BYTES)()
    libc.fegetenv(environment)
    place = slice(control.offset, control.offset + 4)
    word = int.from_bytes(bytes(environment[place]), sys.byteorder) | control.flush
    environment[place] = list(word.to_bytes(4, sys.byteorder))
    libc.fesetenv(environment)


def denormals_are_flushed() -> bool:
    """Whether arithmetic of this thread gives zero for what is too small to be normal."""
    smallest = sys.float_info.min
    return smallest / 2 == 0.0


def count_denormals(numbers: "NDArray[np.floating]") -> int:
    """Count the denormal numbers among float32 or float64 ones, whether flushed or not.

    Raises:
        ValueError: They are neither float32 nor float64.
    """
    import numpy as np

    kinds = {
        np.dtype(np.float32): (np.uint32, 23, 0xFF),
        np.dtype(np.float64): (np.uint64, 52, 0x7FF),
    }
    if numbers.dtype not in kinds:
        raise ValueError(f"Argument `numbers` must be float32 or float64, but got {numbers.dtype}.")
    whole, digits, exponents = kinds[numbers.dtype]
    bits = np.ascontiguousarray(numbers).view(whole)
    exponent = (bits >> whole(digits)) & whole(exponents)
    fraction = bits & whole((1 << digits) - 1)
    return int(((exponent == 0) & (fraction != 0)).sum())


def wait_asleep() -> None:
    """Let OpenMP threads sleep while they wait, unless the environment says how they shall.

    Holds for libraries that are loaded from now on, and for processes started from this one.
    """
    os.environ.setdefault(*WAITING)


def use_threads(count: int | None = None) -> None:
    """Let torch use this many threads; None stands for `cores`."""
    import torch

    torch.set_num_threads(count or cores())


@contextlib.contextmanager
def threads_for(pixels: int) -> Iterator[None]:
    """Let torch use as many threads as an image of this size is worth, and as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(cores(), pixels // PIXELS_PER_THREAD)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process can keep busy, 1 or more.

    They are those that the scheduler lets it run on, as far as OMP_NUM_THREADS and the quotas of
    its control groups go; a container sees all cores of its machine however few it may use.

    Args:
        root: Folder that holds `proc` and `sys`.
    """
    if hasattr(os, "sched_getaffinity"):  # of Linux
        found = len(os.sched_getaffinity(0))
    else:
        found = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    limits = [int(asked)] if asked.isdecimal() else []
    return max(1, min([found, *limits, *map(int, _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Yield how many cores each control group of this process leaves it, where one limits them.

    Version 1 keeps a hierarchy per controller, version 2 one for all; a limit of a group holds for
    the groups below (Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1).
    """
    groups = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            hierarchies = (groups, groups / "unified")
        elif "cpu" in controllers.split(","):
            hierarchies = (groups / controllers, groups / "cpu")
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for hierarchy in hierarchies:
            for depth in range(len(parts) + 1):
                yield from _quota(hierarchy.joinpath(*parts[:depth]))


def _quota(group: Path) -> Iterator[float]:
    both = _text(group / "cpu.max").split() or [
        _text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
    ]
    if len(both) == 2 and all(word.isdecimal() and int(word) for word in both):
        yield int(both[0]) / int(both[1])  # "max" and -1 are no limit


def _text(path: Path) -> str:
    """Return a file of the kernel's, "" where this system has none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
