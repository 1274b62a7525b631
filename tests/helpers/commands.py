"""`mlsm-bench` as its users type it."""

import contextlib
import io
import sys
from typing import Any, NamedTuple
from unittest import mock

import pytest

from benchmark.cli import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def call(*arguments: Any) -> Done:
    """Run mlsm-bench as the shell would, in this process."""
    out, err = io.StringIO(), io.StringIO()
    words = ["mlsm-bench", *map(str, arguments)]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
        pytest.raises(SystemExit) as ended,
    ):
        main.main()
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def fails(done: Done, *words: str) -> None:
    """Assert that a command was refused in one sentence that holds the words."""
    assert done.returncode == 2, done.stderr
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("error: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in message
