"""The browser that tests and screenshots drive: Chromium or Chrome as the system has it."""

import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ABSENT = "no Chromium or Chrome on PATH: install the system's package chromium"


def find() -> str | None:
    """Return the path of the first that is there."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def options() -> dict[str, Any]:
    """Return how playwright starts it; nothing is downloaded."""
    return {"executable_path": find(), "args": list(FLAGS), "chromium_sandbox": False}
