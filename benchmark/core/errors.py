"""The one error a user can cause, many of them at once, and how a program ends with one."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence

from benchmark.core.console import note, printable, shown


class InputError(ValueError):
    """What a user gave cannot be used.

    The message is one sentence that says what was expected, what came, where, and what to do.
    The command line prints it without a traceback and exits with status 2; whatever a file in it
    is called, it can be printed (`benchmark.core.console.printable`).
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@contextlib.contextmanager
def told() -> Iterator[None]:
    """End the program with one sentence on stderr and status 2 where a user can mend the cause.

    Besides `InputError`, this is a file or folder that the system refuses: a name that is too
    long, a lack of permission, a disk that is gone.
    """
    try:
        yield
    except InputError as error:
        note(f"error: {error}")
        raise SystemExit(2) from None
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        name = "A file" if error.filename is None else shown(os.fsdecode(error.filename))
        remedy = "check the path, its permissions and the room on its disk"
        note(f"error: {name} cannot be used ({error.strerror}): {remedy}.")
        raise SystemExit(2) from None


class ProblemsError(InputError):
    """Several things to mend, told in one message: their number, and the first of them by name.

    Args:
        what: What has the problems, such as "LOL".
        problems: A phrase each, the file first.
        remedy: What to do about them.
    """

    SHOWN = 8

    def __init__(self, what: str, problems: Sequence[str], remedy: str) -> None:
        self.problems = tuple(problems)
        told = "; ".join(self.problems[: self.SHOWN])
        left = len(self.problems) - self.SHOWN
        more = f"; and {left} more" if left > 0 else ""
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {noun} in {what}: {told}{more}: {remedy}.")
