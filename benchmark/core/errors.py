"""Errors that a user can cause, one or several at once, and how a program reports them."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence

from benchmark.core.console import note, printable, shown


class InputError(ValueError):
    """An input, setting or file of the user that cannot be used.

    The message is one sentence that says what was expected, what came, where, and what to do.
    The command line prints it without a traceback and exits with status 2; whatever a file in it
    is called, it can be printed (`benchmark.core.console.printable`).
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn errors that a user can mend into one sentence on stderr and exit status 2.

    These are every `InputError` and every file or folder that the operating system refuses: a name
    that is too long, a missing permission, a disk that is gone.
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
    """Several problems reported in one message: their number, and the first of them by name.

    Args:
        what: The thing that has the problems, for example "LOL".
        problems: One phrase per problem, which begins with the file.
        remedy: What the user can do about them.
    """

    SHOWN = 8

    def __init__(self, what: str, problems: Sequence[str], remedy: str) -> None:
        self.problems = tuple(problems)
        told = "; ".join(self.problems[: self.SHOWN])
        left = len(self.problems) - self.SHOWN
        more = f"; and {left} more" if left > 0 else ""
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {noun} in {what}: {told}{more}: {remedy}.")
