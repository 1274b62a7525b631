"""The one error a user can cause, and many of them at once."""

from collections.abc import Sequence

from benchmark.console import printable


class InputError(ValueError):
    """What a user gave cannot be used.

    The message is one sentence that says what was expected, what came, where, and what to do.
    The command line prints it without a traceback and exits with status 2; whatever a file in it
    is called, it can be printed (`benchmark.console.printable`).
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


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
