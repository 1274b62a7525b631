"""Read and write plain values as readable JSON files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.core import files


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write values with sorted keys; the file appears whole or not at all."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    files.write_text(path, text + "\n")


def read(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file that a stage wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
