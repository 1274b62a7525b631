"""Where the weights of LPIPS are looked for, without loading torch."""

import os
from pathlib import Path

ALEXNET = "alexnet-owt-7be5be79.pth"
"""Name of the file of torchvision's ImageNet AlexNet in torch's cache."""


def absence() -> str:
    """Return the reason why LPIPS cannot be measured here, or an empty string."""
    if alexnet_file().is_file():
        return ""
    return (
        f"LPIPS needs torchvision's AlexNet ({ALEXNET}), which no package carries and this suite "
        "does not fetch: put it into torch's cache (`torch.hub.get_dir()`/checkpoints) to have it "
        "measured"
    )


def alexnet_file() -> Path:
    """Return the path of torchvision's AlexNet in torch's cache, which may not exist.

    The cache is the folder `hub` of TORCH_HOME, or of `torch` in XDG_CACHE_HOME, as in
    `torch.hub.get_dir`.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))  # noqa: PTH118
    return Path(home).expanduser() / "hub" / "checkpoints" / ALEXNET
