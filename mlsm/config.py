"""Every choice that the method leaves open, as one frozen record that checkpoints store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from benchmark.core.errors import InputError

Variant: TypeAlias = Literal["literal", "sound"]
Norm: TypeAlias = Literal["instance", "none", "group", "layer2d"]
Output: TypeAlias = Literal["tanh", "linear"]
Init: TypeAlias = Literal["normal", "torch"]
MappingKind: TypeAlias = Literal["branches", "attention"]
TopResidual: TypeAlias = Literal["literal", "feature"]
Preset: TypeAlias = Literal["paper", "oldphoto", "tuned"]

GROUPS = 4
"""Groups of `norm="group"`."""
MAX_LEVELS = 5


@dataclass(frozen=True)
class Config:
    """The architecture and the loss weights of one trained MLSM.

    The paper (arXiv:2403.07622) fixes the equations, the 3x3 convolutions, the ResBlocks, the
    dilation rates and k = 3. The fields below hold the rest. `LITERAL` reads the paper word for
    word; `SOUND`, the default, changes what cannot work as written.

    Raises:
        InputError: A field is outside its range.
    """

    width: int = 16
    """Channels C of every level; eq. 15 subtracts levels from each other, so one number serves all.
    Not in the paper: its ancestor ("Bringing Old Photos Back to Life") has 64; a CPU trains 16."""

    levels: int = 3
    """Number k of latent spaces; the paper's default is 3 (Sec. IV-A), its ablation 1 and 2."""

    variant: Variant = "sound"
    """How a feature becomes a distribution, which eqs. 12 and 13 need and nothing describes.
    literal: posterior N(l, I) around l = ReLU(norm(conv)). sound: 1x1 heads for mu and logvar;
    a ReLU output is never negative and so can never be N(0, 1)."""

    norm: Norm = "none"
    """Normalisation after each 3x3 convolution of the VAEs. The paper says instance; directly on
    RGB that removes brightness, which no decoder can restore (measured: 4.6 dB on dark images)."""

    mapping_norm: Norm = "instance"
    """The same in the mapping networks. Not in the paper: the ancestor has instance norm. Ours is
    chosen on 15 training pairs of LOL held out: 17.7 dB with it, 16.3 dB without after 300 steps,
    one seed each."""

    n_res: int = 2
    """ResBlocks a sub-decoder. Not in the paper: 0 mirrors the encoder; 2 is our guess."""

    output: Output = "linear"
    """Last activation of the decoder. Not in the paper: the ancestor has tanh, which flattens the
    gradient of the nearly black pixels that fill a dark image."""

    init: Init = "torch"
    """First weights. normal: N(0, 0.02) as the ancestor, which needs a norm; torch: PyTorch's own,
    which keeps the signal alive without one."""

    mapping: MappingKind = "branches"
    """branches: enlighten and deblocking branch (Sec. III-D1, Fig. 6). attention: the other
    description that the paper gives of the same network (end of Sec. III-D2)."""

    aspp_rates: tuple[int, ...] = (1, 6, 12, 18)
    """Dilation rates of the enlighten branch's ASPP (Sec. III-D1)."""

    aspp_pool: bool = False
    """Add DeepLab v3's global pooling branch. The paper lists four rates and no pooling."""

    topres: TopResidual = "literal"
    """Input of the top level's deblocking branch. literal: l - l = 0 (eq. 15 at i = k-1), so the
    branch is dead there. feature: the latent itself."""

    logvar_bias: float = -6.0
    """Where logvar starts (sound only). At 0 the noise is as large as the code; at -6 it starts at
    a twentieth of that. A trial that began at 0 stayed near 21 dB, but it differed in its output
    activation and learning rate too."""

    weights: Preset = "tuned"
    """Loss weights, see `mlsm.losses.WEIGHTS`. The paper prints none."""

    discriminator_width: int = 16
    """First channel count of the discriminators. Not in the paper: the ancestor has 64."""

    tone: bool = False
    """A branch that sees a small copy of the whole image and sets a gamma and a colour matrix for
    the output (`mlsm.model.Tone`). Not in the paper."""

    mean_matched: bool = False
    """Mix the L1 of stage 2 with an L1 after matching the mean (`mlsm.losses.mean_matched_l1`).
    Not in the paper."""

    exposure_stops: float = 0.0
    """Stage 2 brightens or darkens each dark crop by up to so many stops. Not in the paper."""

    drop_finest: float = 0.0
    """Share of crops, in both stages, whose finest latent is set to 0, so that the coarser ones
    must carry the image. Not in the paper."""

    conditional_gan: bool = False
    """Show the stage-2 discriminator the dark image too, as the ancestor does; eq. 18 has only
    the enhanced image as argument."""

    def __post_init__(self) -> None:
        _check_range("width", self.width, 1, 1024)
        _check_range("levels", self.levels, 1, MAX_LEVELS)
        _check_range("n_res", self.n_res, 0, 64)
        _check_range("discriminator_width", self.discriminator_width, 1, 1024)
        for name, alias in _CHOICES.items():
            _check_choice(name, getattr(self, name), get_args(alias))
        if not self.aspp_rates or any(not _is_int(r) or r < 1 for r in self.aspp_rates):
            raise InputError(
                "Argument `aspp_rates` must be one or more positive integers, "
                f"but got {self.aspp_rates!r}."
            )
        if "group" in (self.norm, self.mapping_norm) and self.width % GROUPS:
            raise InputError(
                f"Argument `width` must be a multiple of {GROUPS} with norm 'group', "
                f"but got {self.width}."
            )
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"Argument `{name}` must be in [{low:g}, {high:g}], "
                    f"but got {getattr(self, name)!r}."
                )

    @property
    def stride(self) -> int:
        """Return the number of pixels that image height and width must be a multiple of.

        k levels halve k-1 times, the deblocking UNet twice more: 16 for k = 3.
        """
        return int(2 ** (self.levels + 1))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values (tuples as lists), as a checkpoint stores them."""
        values = asdict(self)
        values["aspp_rates"] = list(self.aspp_rates)
        return values


_CHOICES = {
    "variant": Variant,
    "norm": Norm,
    "mapping_norm": Norm,
    "output": Output,
    "init": Init,
    "mapping": MappingKind,
    "topres": TopResidual,
    "weights": Preset,
}


_RANGES = {
    "logvar_bias": (-10.0, 4.0),
    "exposure_stops": (0.0, 4.0),
    "drop_finest": (0.0, 1.0),
}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not _is_int(value) or not low <= value <= high:
        raise InputError(
            f"Argument `{name}` must be an integer from {low} to {high}, but got {value!r}."
        )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(
            f"Argument `{name}` must be one of {', '.join(choices)}, but got {value!r}."
        )


SOUND = Config()
"""What we report: the paper's equations with the changes above."""

LITERAL = Config(
    width=64,
    variant="literal",
    norm="instance",
    n_res=0,
    output="tanh",
    init="normal",
    weights="paper",
    discriminator_width=64,
)
"""The paper word for word; where it says nothing, its ancestor."""

PRESETS: Mapping[str, Config] = MappingProxyType({"sound": SOUND, "literal": LITERAL})


def from_dict(values: Mapping[str, Any]) -> Config:
    """Build a config from what `Config.to_dict` returned or from a profile's settings.

    Args:
        values: Fields by name. `preset` may name `sound` or `literal`, which gives the fields that
            are absent; it is `sound` by default.

    Raises:
        InputError: A key is no field, or a value is outside its range.
    """
    known = {field.name for field in fields(Config)}
    unknown = sorted(set(values) - known - {"preset"})
    if unknown:
        raise InputError(
            f"An MLSM config has the fields preset, {', '.join(sorted(known))}, "
            f"but got {', '.join(unknown)}: see mlsm/config.py."
        )
    given = dict(values)
    preset = given.pop("preset", "sound")
    _check_choice("preset", preset, tuple(PRESETS))
    if isinstance(given.get("aspp_rates"), list):
        given["aspp_rates"] = tuple(given["aspp_rates"])
    return replace(PRESETS[preset], **given)
