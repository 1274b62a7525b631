"""Types of settings and roles that the whole suite shares."""

from typing import Literal

Role = Literal["enhancer", "deblocker", "joint"]
"""Task of a method: brighten an image, remove JPEG blocks, or both at once."""

Track = Literal["classical", "retrained", "released"]
"""Origin of a method's weights: none (classical), trained by this pipeline, or released by the
authors."""

Protocol = Literal["sound", "paper"]
"""How outputs are stored and metrics computed: soundly, or as the paper's authors did."""

Need = Literal["nothing", "tables", "reference"]
"""Input of a method besides the image: the quantisation tables of the JPEG file that enters the
chain, or (only for controls) the normal-light reference."""

Writer = Literal["round", "truncate", "jpeg75"]
"""How the authors' script stores an output image; only protocol `paper` follows it."""

Schedule = Literal["linear", "cosine", "until_flat"]
"""How a learning rate falls to 0: over a budget of steps, or once the validation curve is flat (see
`benchmark.training.flatness`), over the budget's last quarter at the latest."""

Precision = Literal["32-true", "64-true", "bf16-mixed"]
"""Numerical precision of training, in the spelling of Lightning Fabric."""

Keep = Literal["last", "best"]
"""Which checkpoint a training keeps: the last, or the one with the best validation PSNR."""
