"""The environment of a run: library versions, processor, JPEG encoder and git commit."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from benchmark import ROOT
from benchmark.core import jpeg

LIBRARIES = ("numpy", "scipy", "scikit-image", "mahotas", "torch", "torchvision", "pillow")


def environment() -> dict[str, Any]:
    """Describe this machine and installation."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "vectors": _vectors(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "jpeg": jpeg.encoder().describe(),
    }


def _vectors() -> str:
    """Return the vector instructions that torch selected; they decide the order of summation."""
    import torch

    return torch.backends.cpu.get_cpu_capability()


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def commit() -> str:
    """Return the git commit of the code, followed by `+` if the tree has uncommitted changes."""
    try:
        head = git(ROOT, "rev-parse", "HEAD").strip()
        watched = ("benchmark", "baselines", "mlsm", "params.yaml")
        changed = git(ROOT, "status", "--porcelain", "--", *watched).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def git(folder: Path, *arguments: str) -> str:
    """Return what a git command prints.

    Args:
        folder: Where it runs.
        arguments: What follows `git`.

    Raises:
        OSError: There is no git.
        subprocess.CalledProcessError: The command fails.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def peak_mib(pid: int | None = None) -> float:
    """Return the largest resident memory of a process since its start, in MiB.

    Where the system does not tell it, it is what the process has now.

    Args:
        pid: The process; None is this one.

    Raises:
        psutil.NoSuchProcess: There is none of that number.
    """
    status = Path("/proc", "self" if pid is None else str(pid), "status")
    if status.is_file():  # unlike getrusage, not inherited from the process that started this one
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return float(psutil.Process(pid).memory_info().rss) / 2**20
