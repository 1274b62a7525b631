"""What TensorFlow does where PyTorch does otherwise, for methods whose authors wrote for it."""

from torch import Tensor, nn
from torch.nn import functional


def start(network: nn.Module) -> None:
    """Draw the initial weights of all convolutions as TensorFlow does where a program says nothing.

    Uniform weights of variance 2 / (inputs + outputs) of a layer (Glorot and Bengio, 2010; also
    called Xavier), which are larger than PyTorch's, and biases of 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the absolute differences of neighbours of (N, C, H, W), across and down.

    As a convolution with a kernel of 2 x 2 and the padding that TensorFlow calls SAME gives them:
    the maps are extended by one row below and one column on the right, both 0, so the last column's
    slope across is its own value, and so is the last row's slope down. The kernel's weights lie
    in its lower row or its right column: a slope across is that of the row below, 0 in the
    last row, and a slope down that of the column to the right, 0 in the last column.
    """
    framed = functional.pad(maps, (0, 1, 0, 1))
    corner = framed[..., 1:, 1:]
    return (corner - framed[..., 1:, :-1]).abs(), (corner - framed[..., :-1, 1:]).abs()


def grey(image: Tensor) -> Tensor:
    """Return the grey (N, 1, H, W) of (N, 3, H, W), with TensorFlow's weights of the channels."""
    weights = image.new_tensor([0.2989, 0.5870, 0.1140]).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)
