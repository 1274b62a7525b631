"""Cache of finished results on disk, from which a killed stage resumes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmark.core import files, parallel

Item = TypeVar("Item")


class ResultCache:
    """Finished results of a stage, stored as one line of JSON per result.

    Args:
        path: The file; its name must identify everything that the results depend on, except the
            item itself. None keeps the results only in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.done: dict[str, Any] = {}
        if path is not None and path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        try:
            key, value = json.loads(line)
        except ValueError:  # the line that was being written when the process was killed
            return
        self.done[key] = value

    def add(self, key: str, value: Any) -> None:
        """Store a result."""
        self.done[key] = value
        if self.path is None:
            return
        files.append(self.path, f"\n{json.dumps([key, value])}".encode())


def cached_map(
    items: Sequence[Item],
    keys: Sequence[str],
    work: Callable[[Item], Any],
    journal: ResultCache,
    processes: int,
    label: str,
) -> list[Any]:
    """Return `work(item)` for every item, computing only the results that the cache lacks.

    Args:
        items: Arguments of `work`.
        keys: Key of each item in the cache.
        work: A function that can be pickled and returns values that JSON can hold.
        journal: Results of an earlier, unfinished run; each new result is added as it is computed.
        processes: Number of processes.
        label: Label of the progress bar.
    """
    missing = {key: item for key, item in zip(keys, items, strict=True) if key not in journal.done}
    results = parallel.map_parallel(work, list(missing.values()), processes, label)
    for key, value in zip(missing, results, strict=True):
        journal.add(key, value)
    return [journal.done[key] for key in keys]
