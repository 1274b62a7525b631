"""Camera model that darkens normal-light images as if they were photographed at night.

The model is the photon transfer model (Janesick, "Photon Transfer", SPIE Press 2007; EMVA Standard
1288): light in proportion to the exposure, photons that arrive as a Poisson process, Gaussian noise
of the read-out, an analogue-to-digital converter. It leaves out what a finished photograph does not
reveal (colour filter array, fixed-pattern noise, the denoiser of the camera).
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.core.errors import InputError
from benchmark.core.images import Image

Light: TypeAlias = NDArray[np.float64]
"""float64 of any shape, linear light, 1 is the white of the recorded image."""


@dataclass(frozen=True)
class Camera:
    """One exposure of one sensor.

    Electron counts are per pixel of the *recorded* image: a pixel that averages n pixels of the
    sensor collects n times their charge and sqrt(n) times their read noise.

    Attributes:
        exposure: Linear factor of the light relative to the normal-light image, above 0. An
            exposure of `ev` stops is `2.0**ev`. The pairs of LOL eval15 have 0.008 to 0.12, median
            0.03.
        white_balance: Gains of R, G and B on the light that reaches the sensor, above 0: the
            colour cast of the lamp that the camera did not correct. 1, 1, 1 is neutral.
        white_electrons: Photoelectrons of a pixel at linear 1.0, above 0; the shot noise there is
            their square root. 25 000 gives the noise of LOL: about 1.2 to 1.5 levels of 255 in
            its shadows.
        read_electrons: Read noise in electrons (root mean square), at least 0; two to four for
            CMOS sensors.
        bits: Bits per channel of the linear converter, 1 to 16. Raw files have 12 or 14.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    white_electrons: float = 25_000.0
    read_electrons: float = 3.0
    bits: int = 12

    def __post_init__(self) -> None:
        gains = (self.exposure, self.white_electrons, *self.white_balance)
        if not all(math.isfinite(gain) and gain > 0 for gain in gains):
            raise InputError(
                "Camera needs finite exposure, white_balance and white_electrons above 0, but got "
                f"{self.exposure}, {self.white_balance} and {self.white_electrons}."
            )
        if not (math.isfinite(self.read_electrons) and self.read_electrons >= 0):
            raise InputError(
                f"Camera needs read_electrons of at least 0, but got {self.read_electrons}."
            )
        if not 1 <= self.bits <= 16:
            raise InputError(f"Camera needs 1 to 16 bits, but got {self.bits}.")


def to_light(image: Image) -> Light:
    """Undo the sRGB transfer function (IEC 61966-2-1), elementwise on [0, 1]."""
    code = image.astype(np.float64)
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Light) -> Image:
    """Apply the sRGB transfer function (IEC 61966-2-1) after clipping to [0, 1]."""
    light = np.clip(light, 0.0, 1.0)
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return code.astype(np.float32)


def darken(image: Image, camera: Camera, rng: np.random.Generator) -> Image:
    """Simulate a photograph of a normal-light image with `camera`.

    The steps are: linearise, scale by exposure and white balance, add shot noise and read noise,
    quantise to `camera.bits`, encode as sRGB. Values above white or below black are clipped, as in
    a raw converter, so an exposure above 1 overexposes.

    Args:
        image: Normal-light image, float32 (H, W, 3), sRGB, [0, 1]; not modified.
        camera: Exposure and sensor.
        rng: Generator of the noise; the same state gives the same image.

    Returns:
        float32 (H, W, 3), sRGB, [0, 1], not rounded to 8 bits.
    """
    light = to_light(image) * camera.exposure * np.asarray(camera.white_balance)
    electrons = rng.poisson(light * camera.white_electrons).astype(np.float64)
    electrons += rng.normal(0.0, camera.read_electrons, electrons.shape)
    top = 2**camera.bits - 1
    codes = np.clip(np.rint(electrons / camera.white_electrons * top), 0, top)
    return to_srgb(codes / top)
