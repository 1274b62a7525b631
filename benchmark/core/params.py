"""Settings of a profile: params.yaml as validated, frozen models."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from benchmark import ROOT
from benchmark.core.errors import InputError
from benchmark.core.types import Keep, Precision, Schedule, Track

SetName = Literal[
    "LOL",
    "LSRW",
    "SICE",
    "SICE58",
    "RELLISUR",
    "LabelMe",
    "A7m3",
    "DARKFACE",
    "WIDER",
    "WIDER416",
]
Quality = Annotated[int, Field(ge=1, le=100)]
Count = Annotated[int, Field(ge=1)]


def _written_out(chain: str) -> list[str]:
    """Return the chains that a pattern stands for: `{a,b}+c` for `a+c` and `b+c`."""
    choices = [
        step[1:-1].split(",") if step.startswith("{") and step.endswith("}") else [step]
        for step in chain.split("+")
    ]
    return ["+".join(name.strip() for name in names) for names in itertools.product(*choices)]


def _in_a_row(chains: object) -> object:
    """Return chains as one list, where a file has them by family or as patterns."""
    if isinstance(chains, dict):
        families = [family if isinstance(family, list) else [family] for family in chains.values()]
        chains = [chain for family in families for chain in family]
    if not isinstance(chains, list):
        return chains
    written = [_written_out(chain) if isinstance(chain, str) else [chain] for chain in chains]
    return [chain for several in written for chain in several]


def _once(chains: list[str]) -> list[str]:
    """Refuse a chain that is named twice, and a name that no method can have."""
    for chain in chains:
        if "-" in chain:  # a method is a Python module
            raise ValueError(f"chain {chain!r} holds '-': method names use '_'")
        if chains.count(chain) > 1:
            raise ValueError(f"chain {chain!r} is named twice")
    return chains


Chains = Annotated[list[str], BeforeValidator(_in_a_row), AfterValidator(_once)]
"""Chains in the order of the tables' rows. A file may have them by family, as a mapping of names to
lists, and write `{a,b}+c` for `a+c` and `b+c`."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Training(_Model):
    """Training settings of one part of a learned method in this profile."""

    steps: Count
    """Budget in optimiser steps."""
    batch: Count | None = None
    """Number of crops per step; None takes the published number."""
    crop: Count | None = None
    """Side of a crop in pixels; None takes the published size."""
    rate_factor: Annotated[float, Field(gt=0.0)] = 1.0
    """Factor of the published learning rates; budgets far below the published ones may need it."""
    schedule: Schedule = "linear"
    """Schedule by which the learning rate falls to 0, if the method's recipe has it fall at all."""
    ema: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Decay of the running average of weights that is kept instead of the last weights; None takes
    the value of the method's recipe."""
    keep: Keep = "last"
    """Which checkpoint to keep: the last, or the one with the best validation PSNR."""
    qfs: list[Quality] | None = None
    """Quality factors of the training inputs; None takes the profile's `train_qfs`."""
    precision: Precision | None = None
    """Numerical precision of this training; None takes the profile's."""
    seeds: list[int] = []
    """Further seeds that the method is trained with, beside the profile's; their weights lie in
    folders `seed_<n>`, and tables give means over all seeds with their spread."""
    settings: dict[str, Any] = {}
    """Keyword arguments of the method's own file, such as width and number of blocks."""
    parts: dict[str, "Training"] = {}
    """Training settings of the parts before the last one; `settings` are shared."""


class Merge(_Model):
    """Raw sets that are merged into training sets (Tables I and II) and test sets."""

    vae_dark: list[SetName]
    """Dark images for the VAE of compressed dark images (Table I)."""
    vae_normal: list[SetName]
    """Normal-light images for the other VAE (LabelMe in the paper)."""
    mapping_pairs: list[SetName]
    """Pairs for the mapping networks (Table II)."""
    test: list[SetName]
    """Test sets of Tables III and IV."""
    validation: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.05
    """Share of the training pairs that are held back for choosing settings."""
    group_views: bool = False
    """Whether photographs of one view stay on the same side of that split. This changes which
    images are held back and hence the weights; the profile `lol` was trained with False, before the
    setting existed."""
    resize_test: dict[str, Annotated[list[Count], Field(min_length=2, max_length=2)]] = {}
    """Test set -> width and height in pixels to which its pairs are resized before compression. The
    protocol of Zero-DCE, which the test pairs of SICE follow, asks for 1200x900."""
    without_test_views: bool = False
    """Whether training images that show the view of a test image are left out instead of refused:
    a split of disjoint scenes where the published one repeats some."""
    accepted_leaks: dict[str, str] = {}
    """Set or training image (`LOL`, `LOL/21`) whose similarity to test images is accepted ->
    reason."""


class Detection(_Model):
    """The dark-face benchmark (Table VII)."""

    chains: Chains
    """Chains whose outputs the detector sees; an empty list leaves the benchmark out."""
    sets: list[SetName]
    """Labelled sets. Sets without dark images (WIDER FACE) are darkened by
    `benchmark.data.camera`."""
    detector: str
    """Key of `benchmark.faces.detectors.DETECTORS`."""
    qfs: list[Quality]
    iou: list[Annotated[float, Field(gt=0.0, lt=1.0)]]
    every: Count = 1
    """Use every n-th image of each set, in the natural order of their names."""
    uncompressed: list[str] = []
    """Chains that also process the uncompressed dark images; the others see only JPEG files."""
    others: dict[str, list[str]] = {}
    """Further detector -> chains that it sees (compressed), to test whether a result depends on the
    detector."""


class Range(_Model):
    """Curve of quality over quality factors beyond those of the tables."""

    chains: Chains = []
    """Chains to draw; an empty list leaves the curve out of the profile."""
    qfs: list[Quality]


class Studies(_Model):
    """Experiments of the folder `studies` on the profile's own weights: [mlsm], or [] for none."""

    understanding: list[Literal["mlsm"]] = []
    """Study of the questions that the paper leaves open."""
    limits: list[Literal["mlsm"]] = []
    """Study of what keeps MLSM below its printed quality; needs the method unet and the output of
    `perf/step_seconds.py`."""


class Params(_Model):
    """All settings of a profile."""

    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of every folder that the profile writes."""
    title: str
    """Title of the report, one line."""
    root: str
    """Path from the profile's folder to the repository's root, in which stages run."""
    params_file: str
    """Path of this file relative to the root."""
    weights_of: str = ""
    """Profile whose retrained weights are used if this one trains nothing; "" for its own."""
    builtin: list[Literal["demo"]]
    """Raw data that the suite writes itself: [demo], or [] if `external` is given."""
    external: list[Literal["disk"]]
    """Raw data that are searched on disk, under MLSM_BENCH_DATA and then data/raw: [disk], or [] if
    `builtin` is given."""
    seed: int = 2403
    sets: list[SetName]
    """Raw sets the profile uses."""
    merge: Merge
    qfs: list[Quality]
    """Quality factors of the test inputs."""
    train_qfs: list[Quality]
    """Quality factors of the training inputs; one is drawn per crop."""
    pictures: bool = False
    """Whether to draw grids of test images and outputs (Figs. 1 and 7 to 10). False if they would
    put photographs of a data set into the repository whose licence does not allow it."""
    uncompressed: bool = True
    """Whether to score the uncompressed dark images as well."""
    tracks: list[Track]
    """Tracks (origins of weights) with which learned methods are scored."""
    training: dict[str, Training]
    """Name of a learned method -> how it is trained; empty if another profile's weights are
    used."""
    methods: dict[str, dict[str, Any]] = {}
    """Name of a method without weights -> settings that differ from the published ones."""
    chains: Chains
    """Chains that are scored, in the order of the tables' rows."""
    detection: Detection
    perceived: list[str] | None = None
    """Chains whose perceptual distances are measured, which takes as long as some methods do; None
    measures all."""
    curve: Range = Range(qfs=[])
    studies: Studies = Studies()
    previews: list[Annotated[float, Field(ge=0.0, le=1.0)]] = []
    """Quantiles of PSNR whose test images the report shows. An empty list shows no pictures, as is
    required for data sets that may not be redistributed."""
    bootstrap: Count = 2000
    """Number of bootstrap resamples of the test images per confidence interval."""
    jobs: Count = 2
    """Number of processes for scoring, compression and registration."""
    threads: Count | None = None
    """Threads per training process; sums, and hence weights, differ slightly with their number.
    None takes `numerics.cores`."""
    precision: Precision = "32-true"
    """Numerical precision of trainings that do not set their own. `64-true` prevents differences in
    rounding between CPUs from growing into different weights, and takes four to eight times as
    long."""
    costs_at_once: Count = 1
    """Number of methods whose costs are measured at a time; with more than one they disturb each
    other's times."""
    devices: Count = 1
    """Number of training processes, which average their gradients."""

    @property
    def perceived_chains(self) -> list[str]:
        """Chains whose perceptual distances are measured, in the order of the tables."""
        return [c for c in self.chains if self.perceived is None or c in self.perceived]

    @property
    def every_chain(self) -> list[str]:
        """All chains of the profile: those that are scored, then those only a detector sees."""
        return list(dict.fromkeys([*self.chains, *self.detection.chains]))

    @model_validator(mode="after")
    def _one_source(self) -> "Params":
        if bool(self.builtin) == bool(self.external):
            raise ValueError("exactly one of builtin and external must be empty")
        unknown = set(self.perceived or []) - set(self.chains)
        if unknown:
            raise ValueError(f"perceived names {sorted(unknown)}, not in chains")
        unknown = set(self.curve.chains) - set(self.chains)
        if unknown:
            raise ValueError(f"curve.chains names {sorted(unknown)}, not in chains")
        named = {chain for chains in self.detection.others.values() for chain in chains}
        unknown = {*self.detection.uncompressed, *named} - set(self.detection.chains)
        if self.detection.chains and unknown:
            raise ValueError(
                f"detection.uncompressed or others name {sorted(unknown)}, not in detection.chains"
            )
        missing = set(self.merge.test) - set(self.sets)
        if missing:
            raise ValueError(f"merge.test names {sorted(missing)}, not in sets")
        unknown = set(self.merge.resize_test) - set(self.merge.test)
        if unknown:
            raise ValueError(f"merge.resize_test names {sorted(unknown)}, not in merge.test")
        strange = {q for part in self._trainings() for q in part.qfs or []} - set(self.train_qfs)
        if strange:
            raise ValueError(
                f"a training names quality factors {sorted(strange)}, not in train_qfs"
            )
        if {"SICE", "SICE58"} <= set(self.sets):
            raise ValueError("SICE and SICE58 are two splits of one folder: name one of them")
        return self

    def _trainings(self) -> Iterator[Training]:
        """Yield the training settings of every part of every learned method."""
        for whole in self.training.values():
            yield whole
            yield from whole.parts.values()

    def training_of(self, method: str, part: str) -> Training:
        """Return the training settings of a part of a method in this profile.

        Raises:
            InputError: The profile does not train this part.
        """
        if method not in self.training:
            known = ", ".join(self.training) or "nothing"
            raise InputError(f"Profile {self.profile} trains {known}, but not {method!r}.")
        whole = self._precise(self.training[method])
        if part == "model":
            return whole
        if part not in whole.parts:
            raise InputError(
                f"Profile {self.profile} has no budget for part {part!r} of {method}: add it as "
                f"training.{method}.parts.{part}."
            )
        own = whole.parts[part]
        precision = own.precision or whole.precision
        return own.model_copy(update={"settings": whole.settings, "precision": precision})

    def _precise(self, training: Training) -> Training:
        """Return training settings with the profile's precision filled in if they set none."""
        return training.model_copy(update={"precision": training.precision or self.precision})

    @property
    def work(self) -> Path:
        """Folder of the profile's intermediate files (in DVC's cache)."""
        return ROOT / "data" / "work" / self.profile

    @property
    def results(self) -> Path:
        """Folder of the profile's results (in git)."""
        return ROOT / "results" / self.profile

    def further_seeds(self, chain: str) -> dict[int, Path]:
        """Return seed -> folder of its weights, of the seeds a chain is trained with besides ours.

        Chains of several methods have none.
        """
        training = self.training.get(chain)
        return {s: self.seed_folder(self.weights, s) for s in (training.seeds if training else [])}

    def seed_folder(self, folder: Path, seed: int) -> Path:
        """Return where what belongs to a seed lies: `folder` itself for the profile's own seed."""
        return folder if seed == self.seed else folder / f"seed_{seed}"

    @property
    def weights(self) -> Path:
        """Folder of the trained weights that the profile uses."""
        return ROOT / "weights" / (self.weights_of or self.profile)

    @property
    def raw(self) -> Path | None:
        """Folder of built-in raw data, or None if the user's own data are searched."""
        return ROOT / "data" / "raw" / self.profile if self.builtin else None


def load(path: Path) -> Params:
    """Read a profile's params.yaml.

    Raises:
        InputError: The file is missing, is not YAML, or contains an unknown key or an invalid
            value.
    """
    if not path.is_file():
        raise InputError(f"There is no params file at {path}: name a profile that exists.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = str(error).replace("\n", " ")
        raise InputError(f"{path} is not valid YAML ({line}): correct it.") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InputError(f"{path}: {where}: {first['msg']}{more}; correct it.") from error


def profile_path(profile: str) -> Path:
    """Return the path of a profile's params.yaml.

    Raises:
        InputError: There is no such profile.
    """
    folder = ROOT / "profiles"
    if profile == "demo":
        return ROOT / "params.yaml"
    path = folder / profile / "params.yaml"
    if not path.is_file():
        known = ["demo", *sorted(entry.parent.name for entry in folder.glob("*/params.yaml"))]
        raise InputError(f"There is no profile {profile!r}: known are {', '.join(known)}.")
    return path
