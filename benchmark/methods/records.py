"""What methods and chains are made of: code, weights and settings, as everything after them reads.

The stage `chains` writes a profile's records into `data/work/<profile>/chains.json`, and the stage
`tables` copies them into `results/<profile>/provenance.json`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmark import methods
from benchmark.core import jsonfile
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values
from benchmark.core.types import Need, Role, Track, Writer
from benchmark.methods import assemble

FILE = "chains.json"
"""Name of the file of a profile's records in its work folder."""
DIGESTS = "chain_digests.json"
"""Name of the file of their digests, by what chains are used for."""


class Budget(NamedTuple):
    """How long the last part of a method was trained.

    Attributes:
        done: Optimiser steps of its training here.
        published: Optimiser steps that its paper states.
        images: Number of its training images.
        minutes: How long the training took on the machine that did it, in wall time.
        schedule: How the learning rate fell.
        flat_at: With the schedule `until_flat`, the step at which the validation curve was flat;
            None if it was still rising when the budget ended.
    """

    done: int
    published: int
    images: int = 0
    minutes: float = 0.0
    schedule: str = ""
    flat_at: int | None = None

    def words(self) -> str:
        """Return what separates the training from the published one, in words; "" for nothing."""
        if self.done >= self.published:
            return ""
        known = self.facts(timed=False)
        facts = f" ({known})" if known else ""
        return f"trained for {self.done:,} of {self.published:,} published steps{facts}"

    def facts(self, timed: bool = True) -> str:
        """Return images, time and flatness of the training, as far as they are known.

        Args:
            timed: Whether to tell the time, which differs from run to run.
        """
        parts = []
        if self.images:
            parts.append(f"{self.images:,} images")
        if self.minutes and timed:
            parts.append(f"{self.minutes:.0f} min" if self.minutes >= 1 else "under a minute")
        if self.schedule == "until_flat":
            parts.append(f"flat at {self.flat_at:,}" if self.flat_at else "not flat at the end")
        return ", ".join(parts)


@dataclass(frozen=True)
class MethodRecord:
    """What a method is made of.

    Attributes:
        title: As tables spell it.
        role: What it is for.
        cite: Its paper, or `a control`.
        learned: Whether it has weights.
        writes: How its authors' script stores an output.
        needs: What it is given besides the image.
        code: Digest of its module and of all that the module imports.
        released: Files of its authors that were found here -> SHA-256.
    """

    title: str
    role: Role
    cite: str
    learned: bool
    writes: Writer
    needs: Need
    code: str
    released: Mapping[str, str]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "MethodRecord":
        """Return the record that `to_json` has written down."""
        return cls(**content)

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class ChainRecord:
    """What a chain is made of: everything that its scores depend on but the images.

    Attributes:
        title: As tables spell it.
        order: What happens in which order, such as `deblock+enhance`.
        steps: Its methods, by name and in their order.
        tracks: Track it can be scored on -> SHA-256 of the weights by step.
        settings: Track -> step -> settings that are not the published ones.
        budgets: Step -> how long its retrained weights were trained.
        absent: Track it cannot be scored on -> why.
        seeds: Further seed of its training -> SHA-256 of the weights by step; its retrained numbers
            are means over these and the profile's own seed.
    """

    title: str
    order: str
    steps: Mapping[str, MethodRecord]
    tracks: Mapping[Track, Mapping[str, str]]
    settings: Mapping[Track, Mapping[str, Mapping[str, Any]]]
    budgets: Mapping[str, Budget]
    absent: Mapping[Track, str]
    seeds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ChainRecord":
        """Return the record that `to_json` has written down."""
        steps = {name: MethodRecord.from_json(step) for name, step in content["steps"].items()}
        budgets = {name: Budget(**stored) for name, stored in content["budgets"].items()}
        return cls(**{**content, "steps": steps, "budgets": budgets})

    @classmethod
    def without_numbers(cls, title: str, order: str, absent: Mapping[Track, str]) -> "ChainRecord":
        """Return the record of a chain that a table names and the profile lacks.

        Args:
            title: As tables spell it.
            order: What happens in which order.
            absent: Track -> why nothing stands there.
        """
        return cls(title, order, steps={}, tracks={}, settings={}, budgets={}, absent=absent)

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values; no further seeds are left out."""
        content = asdict(self)
        content["budgets"] = {name: budget._asdict() for name, budget in self.budgets.items()}
        return content if self.seeds else {k: v for k, v in content.items() if k != "seeds"}

    @property
    def uses_reference(self) -> bool:
        """Whether the chain is told of the answer, and so has no rank among methods."""
        return any(step.needs == "reference" for step in self.steps.values())

    @property
    def is_control(self) -> bool:
        """Whether the chain only shows where a scale begins and ends."""
        return self.uses_reference or any(s.cite == "a control" for s in self.steps.values())

    def track_under(self, track: Track) -> Track:
        """Return the track of the chain's numbers in a table of one track.

        Chains without weights stand in the table of every track.
        """
        return "classical" if "classical" in self.tracks else track

    def absence(self, track: Track) -> str:
        """Return why the chain has no numbers in a table of one track, or "" where it has some."""
        shown = self.track_under(track)
        if shown in self.tracks:
            return ""
        return self.absent.get(shown, "the profile does not score it")

    def unlike_published(self, track: Track) -> list[str]:
        """Return what sets methods of the chain apart from their published forms, a note each."""
        notes = []
        for name, step in self.steps.items():
            chosen = self.settings.get(track, {}).get(name, {})
            changes = [f"{setting} {value}" for setting, value in chosen.items()]
            budget = self.budgets.get(name) if track == "retrained" else None
            if budget and budget.words():
                changes.append(budget.words())
            if self.seeds and track == "retrained":
                changes.append(f"mean of {len(self.seeds) + 1} seeds")
            if changes:
                notes.append(f"{step.title}: {', '.join(changes)}")
        return notes


def method_record(name: str) -> MethodRecord:
    """Return what a method is made of, with the released weights found here."""
    plugin = methods.find(name)
    files = plugin.released[0].files if plugin.released else ()
    released = [file for file in files if assemble.find_released(file)]
    return MethodRecord(
        title=plugin.title,
        role=plugin.role,
        cite=plugin.cite,
        learned=plugin.learned,
        writes=plugin.writes,
        needs=plugin.needs,
        code=methods.digest(name),
        released={file.file: file.sha256 for file in released},
    )


def chain_record(
    chain: methods.Chain,
    requested: tuple[Track, ...],
    trained: Path,
    seeds: Mapping[int, Path] = MappingProxyType({}),
) -> ChainRecord:
    """Return what a chain is made of.

    Args:
        chain: Which one.
        requested: Tracks that the profile scores.
        trained: Folder of retrained weights.
        seeds: Further seed -> folder of the weights that were trained with it; a seed without
            weights is left out.
    """
    possible = assemble.tracks(chain)
    wanted_tracks = [t for t in requested if t in possible or (t == "released" and chain.learned)]
    reasons = {track: assemble.absent(chain, track, trained) for track in wanted_tracks}
    ready = [track for track, reason in reasons.items() if not reason]
    retrained = "retrained" in ready
    budgets = assemble.budgets(chain, trained) if retrained else {}
    further = {
        str(seed): assemble.hashes(chain, "retrained", folder)
        for seed, folder in seeds.items()
        if retrained and not assemble.absent(chain, "retrained", folder)
    }
    return ChainRecord(
        title=chain.title,
        order=chain.order,
        steps={name: method_record(name) for name in chain.steps},
        tracks={track: assemble.hashes(chain, track, trained) for track in ready},
        settings={track: assemble.settings(chain, track, trained) for track in ready},
        budgets={step: Budget(**facts) for step, facts in budgets.items()},
        absent={track: reason for track, reason in reasons.items() if reason},
        seeds=further,
    )


def from_plain(content: Mapping[str, Any]) -> dict[str, ChainRecord]:
    """Return chain -> what it is made of, from the plain values that `to_plain` gives."""
    return {chain: ChainRecord.from_json(record) for chain, record in content.items()}


def to_plain(records: Mapping[str, ChainRecord]) -> dict[str, dict[str, Any]]:
    """Return the records of chains as plain values."""
    return {chain: record.to_json() for chain, record in records.items()}


def read(work: Path) -> dict[str, ChainRecord]:
    """Return chain -> what it is made of, as the stage `chains` wrote it into a work folder.

    Raises:
        InputError: It has not run.
    """
    path = work / FILE
    if not path.is_file():
        raise InputError(f"There is no {path}: run `dvc repro` for this profile first.")
    return from_plain(jsonfile.read(path))


def write(work: Path, records: Mapping[str, ChainRecord]) -> None:
    """Write what a profile's chains are made of into its work folder."""
    jsonfile.write(work / FILE, to_plain(records))


def write_digests(work: Path, uses: Mapping[str, Mapping[str, ChainRecord]]) -> None:
    """Write use -> SHA-256 of the records of its chains, in their order.

    A stage takes the key of its use as a parameter, so that a chain that it does not work on does
    not run it again.
    """
    digests = {use: digest_values([*to_plain(chains).items()]) for use, chains in uses.items()}
    jsonfile.write(work / DIGESTS, digests)


def by_printed_name(records: Mapping[str, ChainRecord]) -> dict[tuple[str, str], str]:
    """Return title and order -> chain: the paper's tables and csv files know no other name."""
    return {(record.title, record.order): chain for chain, record in records.items()}


def shown_tracks(records: Mapping[str, ChainRecord]) -> list[Track]:
    """Return the tracks that have a table each: those that some learned chain is scored on.

    A profile without any has one table, of the track `classical`.
    """
    there = {track for record in records.values() for track in record.tracks}
    learned: tuple[Track, ...] = ("retrained", "released")
    return [track for track in learned if track in there] or ["classical"]


def absences(records: Mapping[str, ChainRecord]) -> dict[Track, dict[str, str]]:
    """Return track -> chain -> why the chain has no numbers there."""
    recorded: dict[Track, dict[str, str]] = {}
    for chain, record in records.items():
        for track, reason in record.absent.items():
            recorded.setdefault(track, {})[chain] = reason
    return recorded
