"""SHA-256 digests of files and values, which identify content whatever its name or place."""

import hashlib
import json
from pathlib import Path

from benchmark.core import files


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def digest_values(content: object) -> str:
    """Return the SHA-256 of plain values, computed from their JSON text with sorted keys."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_bytes(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


class Digests:
    """SHA-256 of files, remembered between runs by path, size and modification time.

    Args:
        folder: Folder of the file `digests.json` that keeps the digests; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / "digests.json"
        self._known = _read_digests(self._file)

    def known(self, path: Path) -> str | None:
        """Return the remembered SHA-256 of a file of unchanged size and time, or None."""
        try:
            stat = path.stat()
        except OSError:
            return None
        known = self._known.get(str(path.absolute()))
        if known is None or known[:2] != [stat.st_size, stat.st_mtime_ns]:
            return None
        return str(known[2])

    def add(self, path: Path, stamp: tuple[int, int], digest: str) -> None:
        """Remember the SHA-256 of a file with its size in bytes and modification time in ns."""
        self._known[str(path.absolute())] = [*stamp, digest]

    def save(self) -> None:
        """Write the remembered digests; the file appears whole or not at all."""
        if self._file is None:
            return
        files.write_text(self._file, json.dumps(self._known, indent=0, sort_keys=True))


def _read_digests(file: Path | None) -> dict[str, list[int | str]]:
    """Read the remembered digests; a missing or damaged file counts as empty."""
    try:
        known = json.loads(file.read_text()) if file is not None else {}
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {k: v for k, v in known.items() if isinstance(v, list) and len(v) == 3}
