"""Floating-point mode and threads of this process: denormals are zero, threads fit the machine.

A denormal number is smaller than 1.2e-38 in float32. Released weights hold thousands of them, they
change no pixel, and a processor takes up to a hundred times longer to multiply one: Zero-DCE's
released weights take a minute per image on some machines. Whether denormals are flushed to zero is
a state of the thread, which later threads inherit; so the package sets it when it is imported,
before a library has started its threads. NumPy, torch and its backward passes follow that state.

Threads of one operation wait for each other. By default they wait actively: if another process
uses their core, they delay the thread that they wait for, and two threads take ten times longer
than one. Here waiting threads sleep, their number is at most that of the cores which this process
may use, and small images get fewer.
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
    """Place of the vector unit's control word in C's `fenv_t`."""

    offset: int
    """Bytes."""
    flush: int
    """Bits that flush denormal results and operands."""


_CONTROLS = {"x86_64": _Control(28, 0x8040), "aarch64": _Control(0, 1 << 24)}
"""Control words on Linux: FTZ and DAZ of MXCSR, FZ of FPCR."""
_FENV_BYTES = 64
"""An upper bound of the size of `fenv_t`."""
ONNX_OPTIONS = (
    ("session.set_denormal_as_zero", "1"),
    ("session.intra_op.allow_spinning", "0"),
)
"""Configuration entries of an ONNX Runtime session, which has its own threads."""
WAITING = ("OMP_WAIT_POLICY", "PASSIVE")
"""Environment variable that OpenMP reads when it is loaded, and the value that lets threads
sleep."""
PIXELS_PER_THREAD = 50_000
"""Pixels per thread; with fewer, another thread costs as much time as it saves."""


def flush_denormals() -> bool:
    """Treat denormal numbers as zero in this thread and in all threads that it starts afterwards.

    Threads that another library started, for example a Dask worker's, must call it again.

    Returns:
        True if denormals are flushed now. A processor without this mode computes the same 8-bit
        images, but takes longer.
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
    """Return True if arithmetic in this thread gives zero instead of denormal numbers."""
    smallest = sys.float_info.min
    return smallest / 2 == 0.0


def count_denormals(numbers: "NDArray[np.floating]") -> int:
    """Count the denormal values in a float32 or float64 array, whether or not they are flushed.

    Raises:
        ValueError: The array is neither float32 nor float64.
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
    """Let OpenMP threads sleep while they wait, unless the environment sets another policy.

    This affects libraries that are loaded later and processes started from this one.
    """
    os.environ.setdefault(*WAITING)


def use_threads(count: int | None = None) -> None:
    """Set the number of torch threads; None stands for the result of `cores`."""
    import torch

    torch.set_num_threads(count or cores())


@contextlib.contextmanager
def threads_for(pixels: int) -> Iterator[None]:
    """Set torch threads to suit an image of this many pixels inside the `with` block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(cores(), pixels // PIXELS_PER_THREAD)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process can keep busy, at least 1.

    This is the number of cores that the scheduler allows, limited by OMP_NUM_THREADS and the quotas
    of the process's control groups; a container sees all cores of its machine even if it may use
    only a few.

    Args:
        root: Folder that contains `proc` and `sys`.
    """
    if hasattr(os, "sched_getaffinity"):  # of Linux
        visible = len(os.sched_getaffinity(0))
    else:
        visible = os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    limits = [int(limit)] if limit.isdecimal() else []
    return max(1, min([visible, *limits, *map(int, _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the number of cores that each limiting control group of this process allows.

    Version 1 has one hierarchy per controller, version 2 one for all; the limit of a group holds
    for the groups below it (Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1).
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
    """Return the text of a kernel file, or an empty string if this system lacks it."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
