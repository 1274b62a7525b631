"""Words that the whole suite shares."""

from typing import Literal

Role = Literal["enhancer", "deblocker", "joint"]
"""What a method is for: brighten, remove blocks, or both at once."""

Track = Literal["classical", "retrained", "released"]
"""Where weights come from: nowhere, this pipeline's training, or the method's authors."""

Protocol = Literal["sound", "paper"]
"""How outputs are stored and metrics computed: soundly, or as the paper's authors did."""

Need = Literal["nothing", "tables", "reference"]
"""What a method is given besides the image: the quantisation tables of the JPEG file at the head of
the chain, or (controls alone) the normal-light reference."""

Writer = Literal["round", "truncate", "jpeg75"]
"""How the authors' own script stores an output; only protocol `paper` follows it."""

Schedule = Literal["linear", "cosine"]
"""How a learning rate falls to 0 over a budget of steps."""

Precision = Literal["32-true", "64-true", "bf16-mixed"]
"""Of numbers in training, as Lightning Fabric spells it."""

Keep = Literal["last", "best"]
"""Which weights a training gives: its last, or those of its best validation."""
