"""What a training runs on: this process alone, or Lightning Fabric's devices and processes."""

from typing import TYPE_CHECKING, TypeAlias, Union

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class OneProcess:
    """A single process on the CPU, in the words of Lightning Fabric, which takes 2 s to import."""

    device = torch.device("cpu")
    global_rank = 0
    world_size = 1

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss to the parameters'."""
        loss.backward()  # type: ignore[no-untyped-call]

    def all_reduce(self, tensor: Tensor, reduce_op: str) -> Tensor:
        """Return what the processes hold on the whole, which is what this one holds."""
        return tensor

    def barrier(self) -> None:
        """Wait for the other processes, of which there are none."""


Processes: TypeAlias = Union["Fabric", OneProcess]


def processes(devices: int) -> Processes:
    """Return what runs a training: this process alone, or Fabric with accelerators or processes.

    Args:
        devices: Number of accelerators; without any, of processes.
    """
    if devices == 1 and not torch.accelerator.is_available():
        return OneProcess()
    from lightning_fabric import Fabric

    return Fabric(devices=devices)
