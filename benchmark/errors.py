"""The one error a user can cause."""


class InputError(ValueError):
    """What a user gave cannot be used.

    The message is one sentence that says what was expected, what came, where, and what to do.
    The command line prints it without a traceback and exits with status 2.
    """
