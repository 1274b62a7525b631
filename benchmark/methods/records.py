"""What a method and a chain are made of: code, weights, settings."""

from pathlib import Path
from typing import Any

from benchmark import methods
from benchmark.core import code_digest, types
from benchmark.methods import assemble


def method_record(name: str) -> dict[str, Any]:
    """Return what a method is: role, paper, code, and the released weights found here."""
    plugin = methods.find(name)
    files = plugin.released[0].files if plugin.released else ()
    released = [file for file in files if assemble.find_released(file)]
    return {
        "title": plugin.title,
        "role": plugin.role,
        "cite": plugin.cite,
        "learned": plugin.learned,
        "writes": plugin.writes,
        "needs": plugin.needs,
        "code": code_digest.of(plugin.module),
        "released": {file.file: file.sha256 for file in released},
    }


def chain_record(
    chain: methods.Chain, tracks: tuple[types.Track, ...], trained: Path
) -> dict[str, Any]:
    """Return what a chain is made of: everything that its scores depend on but the images.

    Returns:
        `title`, `order`, `steps` (method records), `tracks` (track -> SHA-256 of weights by step),
        `settings` (track -> settings by step where they are not the published ones), `budgets`
        (step -> steps it was trained for and published ones, of retrained weights) and `absent`
        (track -> why it cannot be scored).
    """
    record: dict[str, Any] = {
        "title": chain.title,
        "order": chain.order,
        "steps": {name: method_record(name) for name in chain.steps},
        "tracks": {},
        "settings": {},
        "budgets": {},
        "absent": {},
    }
    for track in tracks:
        if track not in assemble.tracks(chain):
            if track == "released" and chain.learned:
                record["absent"][track] = assemble.absent(chain, track, trained)
            continue
        reason = assemble.absent(chain, track, trained)
        if reason:
            record["absent"][track] = reason
        else:
            record["tracks"][track] = assemble.hashes(chain, track, trained)
            record["settings"][track] = assemble.settings(chain, track, trained)
            if track == "retrained":
                record["budgets"] = assemble.budgets(chain, trained)
    return record
