"""Words that the whole suite shares."""

from typing import Literal

Role = Literal["enhancer", "deblocker", "joint"]
"""What a method is for: brighten, remove blocks, or both at once."""

Track = Literal["classical", "retrained", "released"]
"""Where weights come from: nowhere, this pipeline's training, or the method's authors."""

Protocol = Literal["sound", "paper"]
"""How outputs are stored and metrics computed: soundly, or as the paper's authors did."""

Writer = Literal["round", "truncate", "jpeg75"]
"""How the authors' own script stores an output; only protocol `paper` follows it."""
