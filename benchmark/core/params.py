"""params.yaml as frozen models: every setting of a profile, checked, with its reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

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


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Training(_Model):
    """How one part of a learned method is trained in this profile."""

    steps: Count
    """Budget in optimiser steps."""
    batch: Count | None = None
    """Crops a step; None takes the published one."""
    crop: Count | None = None
    """Side of a crop in pixels; None takes the published one."""
    rate_factor: Annotated[float, Field(gt=0.0)] = 1.0
    """Multiplies the published learning rates: budgets far below the published ones may need it."""
    schedule: Schedule = "linear"
    """How the learning rate falls to 0 over the budget, where the method's recipe lets it fall."""
    ema: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Decay of the running average of weights that is kept instead of the last; None takes what the
    method's recipe says."""
    keep: Keep = "last"
    """The last weights, or those of the best validation PSNR on the way."""
    qfs: list[Quality] | None = None
    """Quality factors of the training inputs, where they are not the profile's `train_qfs`."""
    precision: Precision | None = None
    """Of numbers in this training; None takes the profile's."""
    settings: dict[str, Any] = {}
    """What the method's file takes: width, blocks, ..."""
    parts: dict[str, "Training"] = {}
    """Budgets of the parts that are trained before the last one; settings are shared."""


class Merge(_Model):
    """Which raw sets make the merged training sets (Tables I and II) and the test sets."""

    vae_dark: list[SetName]
    """Dark images for the VAE of compressed dark images (Table I)."""
    vae_normal: list[SetName]
    """Normal-light images for the other VAE (LabelMe in the paper)."""
    mapping_pairs: list[SetName]
    """Pairs for the mapping networks (Table II)."""
    test: list[SetName]
    """Test sets of Tables III and IV."""
    validation: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.05
    """Share of the training pairs held back for choosing settings."""
    group_views: bool = False
    """Whether photographs of one view stay on one side of that split. True changes which images
    are held back, and so the weights; LOL's, trained before this was a choice, have False."""
    resize_test: dict[str, Annotated[list[Count], Field(min_length=2, max_length=2)]] = {}
    """Test set -> width and height its pairs are resized to before compression. The protocol of
    Zero-DCE, whose test pairs SICE has, wants 1200x900."""
    accepted_leaks: dict[str, str] = {}
    """Set or training image (`LOL`, `LOL/21`) whose likeness to a test image is accepted -> why."""


class Detection(_Model):
    """The dark-face benchmark (Table VII)."""

    chains: list[str]
    """Chains whose outputs the detector sees; none leaves the benchmark out of the profile."""
    sets: list[SetName]
    """Labelled sets. Those without dark images (WIDER FACE) are darkened by
    `benchmark.data.camera`."""
    detector: str
    """Key of `benchmark.faces.detectors.DETECTORS`."""
    qfs: list[Quality]
    iou: list[Annotated[float, Field(gt=0.0, lt=1.0)]]
    every: Count = 1
    """Takes every n-th image of each set, in the natural order of their names."""
    uncompressed: list[str] = []
    """Chains that see the uncompressed dark images as well; the others see JPEG files alone."""
    others: dict[str, list[str]] = {}
    """Further detector -> the chains that it sees, compressed: is a finding the detector's own?"""


class Range(_Model):
    """Quality against quality factors beyond those of the tables."""

    chains: list[str] = []
    """Chains to draw; none leaves the curve out of the profile."""
    qfs: list[Quality]


class Studies(_Model):
    """Experiments of the folder `studies` on the profile's own weights: [mlsm], or [] for none."""

    understanding: list[Literal["mlsm"]] = []
    """What the paper leaves in doubt."""
    limits: list[Literal["mlsm"]] = []
    """What keeps MLSM below its printed quality; needs the unet, and `perf/step_seconds.py`."""


class Params(_Model):
    """A profile."""

    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Names every folder the profile writes."""
    title: str
    """One line for the report."""
    root: str
    """From the profile's folder to the repository's root; where stages run."""
    params_file: str
    """This file, seen from the root."""
    weights_of: str = ""
    """Profile whose retrained weights are used, for one that trains nothing; "" for its own."""
    builtin: list[Literal["demo"]]
    """Raw data the suite writes itself ([demo]) ..."""
    external: list[Literal["disk"]]
    """... or finds on disk ([disk]): under MLSM_BENCH_DATA, then data/raw."""
    seed: int = 2403
    sets: list[SetName]
    """Raw sets the profile uses."""
    merge: Merge
    qfs: list[Quality]
    """Quality factors of the test inputs."""
    train_qfs: list[Quality]
    """Quality factors of the training inputs; each crop draws one."""
    pictures: bool = False
    """Whether to draw grids of test images and outputs (Figs. 1 and 7 to 10). False where they
    would put a data set's photographs into the repository, whose licence that is not."""
    uncompressed: bool = True
    """Whether to score the uncompressed dark images as well."""
    tracks: list[Track]
    """Which weights learned methods are scored with."""
    training: dict[str, Training]
    """Learned methods to train, by name; none where the weights are another profile's."""
    methods: dict[str, dict[str, Any]] = {}
    """Settings of methods without weights, by name, where they are not the published ones."""
    chains: list[str]
    """Rows of the tables, in their order."""
    detection: Detection
    perceived: list[str] | None = None
    """Chains whose perceptual distances are measured, which cost as much as some methods; None
    measures all."""
    curve: Range = Range(qfs=[])
    studies: Studies = Studies()
    previews: list[Annotated[float, Field(ge=0.0, le=1.0)]] = []
    """Quantiles of PSNR whose test images the report shows; none shows no pictures, as data sets
    that may not be passed on need."""
    bootstrap: Count = 2000
    """Resamples of the test images behind each confidence interval."""
    jobs: Count = 2
    """Processes for scoring, compression and registration."""
    threads: Count | None = None
    """Threads of a training process; sums, and so weights, differ a little with their number.
    None takes `numerics.cores`."""
    precision: Precision = "32-true"
    """Of numbers in trainings that name none of their own. `64-true` keeps the rounding of one CPU
    from growing into other weights than another CPU's, and costs four to eight times as much."""
    devices: Count = 1
    """Training processes; more than one average their gradients."""

    @property
    def perceived_chains(self) -> list[str]:
        """Chains whose perceptual distances are measured, in the order of the tables."""
        return [c for c in self.chains if self.perceived is None or c in self.perceived]

    @property
    def every_chain(self) -> list[str]:
        """All chains of the profile: those that are scored, then those seen by a detector alone."""
        return list(dict.fromkeys([*self.chains, *self.detection.chains]))

    @field_validator("chains")
    @classmethod
    def _no_hyphen(cls, chains: list[str]) -> list[str]:
        for chain in chains:
            if "-" in chain:  # DVC joins matrix values with it, so two stages could share a name
                raise ValueError(f"chain {chain!r} holds '-': method names use '_'")
        if len(set(chains)) != len(chains):
            raise ValueError("a chain is named twice")
        return chains

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
        """Yield how each part of each learned method is trained."""
        for whole in self.training.values():
            yield whole
            yield from whole.parts.values()

    def training_of(self, method: str, part: str) -> Training:
        """Return how a part of a method is trained here.

        Raises:
            InputError: The profile does not train it.
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

    def _precise(self, wanted: Training) -> Training:
        """Return how a part is trained with the profile's precision where it names none."""
        return wanted.model_copy(update={"precision": wanted.precision or self.precision})

    @property
    def work(self) -> Path:
        """Where intermediate files of the profile lie (DVC's cache holds them)."""
        return ROOT / "data" / "work" / self.profile

    @property
    def results(self) -> Path:
        """Where the profile's evidence lies (in git)."""
        return ROOT / "results" / self.profile

    @property
    def weights(self) -> Path:
        """Where the trained weights that the profile uses lie."""
        return ROOT / "weights" / (self.weights_of or self.profile)

    @property
    def raw(self) -> Path | None:
        """The folder of built-in raw data, or None where the user's own are searched."""
        return ROOT / "data" / "raw" / self.profile if self.builtin else None


def load(path: Path) -> Params:
    """Read a profile's params.yaml.

    Raises:
        InputError: The file is missing, is not YAML, or holds an unknown key or a bad value.
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
    """Return the params file of a profile by its name.

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
