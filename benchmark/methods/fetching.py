"""Download of one file whose size and SHA-256 are known: resumable, whole or not at all."""

import http.client
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any

from benchmark.core import files
from benchmark.core.errors import InputError
from benchmark.methods import WeightsFile

BLOCK_BYTES = 1 << 16
SECONDS = 60.0
"""How long a server may be silent."""


def fetch(file: WeightsFile, folder: Path) -> Path:
    """Download a file to its place below a folder, going on where an earlier try was cut.

    What has arrived of a cut transfer stays beside the target as `.<name>.partial`. A file that is
    there with the right SHA-256 is not touched; the target appears whole and checked.

    Args:
        file: What to get; has an address.
        folder: The weights folder, such as `weights/released`.

    Returns:
        The file's path.

    Raises:
        InputError: There is no room for it, the transfer was cut or refused (try again), or the
            content is not the file's (nothing is left behind).
    """
    import pooch

    target = folder / file.file
    partial = target.with_name(f".{target.name}.partial")
    files.check(target, size=file.size)
    target.parent.mkdir(parents=True, exist_ok=True)

    def downloader(url: str, output: Any, _: object) -> None:
        _complete(url, partial, file)
        partial.replace(output)

    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )
    except ValueError as error:  # pooch's word for another hash; it has removed the file
        if isinstance(error, InputError):
            raise
        raise _refusal(file, f"{file.size} bytes of another SHA-256") from error
    return target


def _complete(url: str, partial: Path, file: WeightsFile) -> None:
    """Bring a partial file to its full size, appending where the server can start in the middle."""
    have = partial.stat().st_size if partial.is_file() else 0
    if have == file.size:
        return
    if have > file.size:
        partial.unlink()
        have = 0
    try:
        try:
            _receive(url, partial, have, file)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            _receive(url, partial, 0, file)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"{file.file} cannot be fetched from {url} ({_reason(error)}): check the connection "
            f"and run the command again, or get the file from {file.source}."
        ) from error
    got = partial.stat().st_size
    if got > file.size:
        partial.unlink()
        raise _refusal(file, f"more than {file.size} bytes")
    if got < file.size:
        raise InputError(
            f"{file.file} was cut after {got} of {file.size} bytes from {url}: run the command "
            "again, it goes on from there."
        )


def _receive(url: str, partial: Path, have: int, file: WeightsFile) -> None:
    """Write what the server sends, at most a block more than the file should have."""
    from tqdm import tqdm

    asked = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=asked)
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        resumes = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if have and response.status == HTTPStatus.PARTIAL_CONTENT and resumes else 0
        bar = tqdm(total=file.size, initial=start, desc=file.file, unit="B", unit_scale=True)
        if not start:
            partial.unlink(missing_ok=True)
        with bar:
            while start <= file.size and (block := response.read(BLOCK_BYTES)):
                files.append(partial, block)
                start += len(block)
                bar.update(len(block))


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    return str(error) or type(error).__name__


def _refusal(file: WeightsFile, came: str) -> InputError:
    return InputError(
        f"{file.url} gave {came}, expected {file.size} bytes with SHA-256 {file.sha256[:12]}...: "
        f"nothing was kept; get the file from {file.source}."
    )
