"""How this process computes: denormal numbers count as zero.

A denormal number is smaller than 1.2e-38 in float32. Released weights hold thousands of them, they
change no pixel, and a processor takes up to a hundred times longer to multiply one: Zero-DCE's
released weights take a minute an image on some machines. Whether they are flushed is a state of
the thread, which threads started later inherit; so the package sets it when it is imported, before
a library has started its threads. NumPy, torch and its backward passes follow that state.
"""

import ctypes
import platform
import sys
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
ONNX_OPTION = ("session.set_denormal_as_zero", "1")
"""Entry of an ONNX Runtime session, which sets its own threads."""


def flush_denormals() -> None:
    """Make denormal numbers count as zero in this thread and those that it starts from now on.

    Work of a thread that somebody else started, such as a Dask worker's, calls it again.

    Raises:
        RuntimeError: The processor or its libraries do not offer it.
    """
    control = _CONTROLS.get(platform.machine()) if sys.platform == "linux" else None
    if control is not None and hasattr(ctypes.CDLL(None), "fesetenv"):
        _set_bits(control)
    else:  # torch knows other systems, but takes a second to load
        import torch

        torch.set_flush_denormal(True)
    if not denormals_are_flushed():
        raise RuntimeError(
            f"Denormal numbers cannot be flushed on {platform.machine()} under {sys.platform}: "
            "run the suite on a processor that offers it, such as x86-64 or AArch64."
        )


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
