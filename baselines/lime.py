"""LIME: divide the image by its illumination, found by smoothing the brightest channel.

Source of all that follows: Guo, Li and Ling, "LIME: Low-Light Image Enhancement via Illumination
Map Estimation", IEEE TIP 26(2), 2017 (first in ACM MM 2016): weights of strategy III and the
sped-up solver, which is one linear system. Not done here: the optional denoising by BM3D.

The system couples all pixels, so strongly inside flat regions (2.4e6 to 1) that conjugate gradients
alone take thousands of steps. They are preconditioned by a multigrid whose coarse pixels are the
trees of each pixel's strongest link, as in Koutis, Miller and Tolliver, "Combinatorial
preconditioners and multilevel solvers for problems in computer vision and image processing", 2011.
"""

from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

from benchmark.core.images import Image
from benchmark.methods import Method, plugin

Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.int32]

WINDOW_RADIUS = 2
"""The Gaussian window of the weights has 5 x 5 pixels."""
EPSILON = 1e-3
"""What keeps denominators from 0; the paper only calls it very small."""
TOLERANCE = 2.5e-4
"""The solver stops when no pixel moves by more; then none is off by more than 1e-3."""

_COARSEST = 300  # unknowns that are solved densely
_DAMPING = 0.8  # of the Jacobi steps between levels
_STEP_LIMIT = 200  # some 10 are usual


@plugin("enhancer", cite="Guo et al., IEEE TIP 2017", title="LIME")
def lime(alpha: float = 0.15, sigma: float = 2.0, gamma: float = 0.8) -> Method:
    """Divide by the refined illumination; defaults are the paper's.

    Args:
        alpha: How much smoothness of the illumination weighs against fidelity.
        sigma: Of the Gaussian window of the weights, in pixels.
        gamma: Exponent of the illumination before the division; 1 brightens most.
    """

    def enhance(image: Image) -> Image:
        light = illumination(image, alpha, sigma).clip(0.0, 1.0) ** gamma + EPSILON
        return np.minimum(image / light[..., None].astype(np.float32), np.float32(1.0))

    return enhance


def illumination(image: Image, alpha: float, sigma: float) -> Floats:
    """Return the refined illumination map, float64 (H, W)."""
    red, green, blue = np.moveaxis(image, 2, 0)
    brightest = np.maximum(np.maximum(red, green), blue).astype(np.float64)  # max(2) takes 9 ms
    links = link_strengths(brightest, alpha, sigma)
    return solve(brightest, *links)


def link_strengths(brightest: Floats, alpha: float, sigma: float) -> tuple[Floats, Floats]:
    """Return how strongly neighbours are held together.

    With D the forward difference and G(d) = exp(-d^2 / (2 sigma^2)), the weight of strategy III is
    W = sum of G / (|sum of G D T| + eps), both sums over the window as far as it is in the image;
    the sped-up solver replaces |D t| by (D t)^2 / (|D T| + eps). The paper leaves a factor of G
    open; it only tells how much eps weighs.

    Args:
        brightest: The first guess T of the illumination, (H, W).
        alpha: Factor of all strengths.
        sigma: Of the window, in pixels.

    Returns:
        Strengths of horizontal links (H, W-1) and of vertical ones (H-1, W).
    """
    window = np.exp(-(np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1) ** 2) / (2 * sigma**2))
    rows, columns = (_windowed(np.ones(length), window) for length in brightest.shape)
    covered = np.outer(rows, columns)
    strengths = []
    for axis, total in ((1, covered[:, :-1]), (0, covered[:-1])):
        difference = np.diff(brightest, axis=axis)
        local = _windowed(difference, window)
        either = (np.abs(local) + EPSILON) * (np.abs(difference) + EPSILON)
        strengths.append(alpha * total / either)
    return strengths[0], strengths[1]


def _windowed(values: Floats, window: Floats) -> Floats:
    """Sum values over a window along every axis; outside they are 0."""
    for axis in range(values.ndim):
        values = ndimage.correlate1d(values, window, axis, mode="constant")
    return values


def system(horizontal: Floats, vertical: Floats) -> Any:
    """Return the matrix I + sum of D^T diag(strength) D as a scipy DIA matrix, (H W, H W)."""
    height, width = horizontal.shape[0], vertical.shape[1]
    size = height * width
    right = np.pad(horizontal, ((0, 0), (0, 1)))  # strength of the link to the right neighbour
    down = np.pad(vertical, ((0, 1), (0, 0)))
    centre = 1 + right + down
    centre[:, 1:] += horizontal
    centre[1:] += vertical
    bands: dict[int, Floats] = {0: centre.ravel()}
    # In an image of one column the two offsets are the same, and only links down are left.
    for offset, links in {1: right, width: down}.items():
        # An entry of DIA's row for an offset stands in the column where it takes effect.
        below = -links.ravel()
        above = np.zeros_like(below)
        above[offset:] = below[: below.size - offset]
        bands[-offset], bands[offset] = below, above
    return sparse.dia_matrix((np.stack(list(bands.values())), list(bands)), shape=(size, size))


class _Links(NamedTuple):
    """A graph: link k joins nodes first[k] and second[k]; each node also has its own mass.

    In single precision, which is enough for a preconditioner.
    """

    first: Ints
    second: Ints
    strength: Floats
    mass: Floats

    @property
    def nodes(self) -> int:
        return self.mass.size

    def matrix(self) -> Any:
        at_first = _totals(self.first, self.strength, self.nodes)
        diagonal = self.mass + at_first + _totals(self.second, self.strength, self.nodes)
        node = np.arange(self.nodes, dtype=np.int32)
        entries = np.concatenate([diagonal, -self.strength, -self.strength])
        rows = np.concatenate([node, self.first, self.second])
        columns = np.concatenate([node, self.second, self.first])
        shape = (self.nodes, self.nodes)
        return sparse.coo_matrix((entries, (rows, columns)), shape=shape).tocsr()


class _Level(NamedTuple):
    """One grid of the multigrid, in single precision, and how its nodes are merged."""

    matrix: Any
    jacobi: Floats
    tree: Ints
    trees: int


def _grid(horizontal: Floats, vertical: Floats) -> _Links:
    """Return the graph of the pixels."""
    height, width = horizontal.shape[0], vertical.shape[1]
    pixel = np.arange(height * width, dtype=np.int32).reshape(height, width)
    return _Links(
        np.concatenate([pixel[:, :-1].ravel(), pixel[:-1].ravel()]),
        np.concatenate([pixel[:, 1:].ravel(), pixel[1:].ravel()]),
        np.concatenate([horizontal.ravel(), vertical.ravel()]).astype(np.float32),
        np.ones(height * width, np.float32),
    )


def _trees(links: _Links, random: np.random.Generator) -> tuple[int, Ints]:
    """Return how many trees the strongest links of all nodes form, and each node's tree.

    A few per cent of noise decide between equal links, which flat regions are full of; without
    it a region of any size would become one tree.
    """
    noise = random.random(links.strength.size, np.float32)
    strength = links.strength * (1 + np.float32(0.05) * noise)
    strongest = np.zeros(links.nodes, np.float32)
    np.maximum.at(strongest, links.first, strength)
    np.maximum.at(strongest, links.second, strength)
    at_first, at_second = strongest.take(links.first), strongest.take(links.second)
    kept = np.flatnonzero((strength == at_first) | (strength == at_second))
    ends = links.first.take(kept), links.second.take(kept)
    shape = (links.nodes, links.nodes)
    graph = sparse.coo_matrix((np.ones(len(ends[0]), np.int8), ends), shape=shape)
    count, tree = connected_components(graph, directed=False)
    return count, tree


def _merged(links: _Links, trees: int, tree: Ints) -> _Links:
    """Return the graph whose nodes are the trees; links between the same two trees add up."""
    first, second = tree.take(links.first), tree.take(links.second)
    between = np.flatnonzero(first != second)
    first, second = first.take(between), second.take(between)
    ends = np.minimum(first, second), np.maximum(first, second)
    strength = links.strength.take(between)
    summed = sparse.coo_matrix((strength, ends), shape=(trees, trees)).tocsr()
    total = summed.tocoo()
    return _Links(total.row, total.col, total.data, _totals(tree, links.mass, trees))


def _totals(group: Ints, values: Floats, groups: int) -> Floats:
    """Sum values by group."""
    totals: Any = np.bincount(group, values, groups)  # its stubs promise integers
    return cast(Floats, totals.astype(np.float32))


class _Multigrid:
    """An approximate inverse of the system: one cycle with a Jacobi step before and after.

    A W-cycle, but for the finest level, which meets the one below once: that level is most of the
    work, and a second meeting saves fewer steps than it costs.
    """

    def __init__(self, matrix: Any, links: _Links) -> None:
        self.levels: list[_Level] = []
        random = np.random.default_rng(0)
        while links.nodes > _COARSEST:
            trees, tree = _trees(links, random)
            jacobi = _DAMPING / matrix.diagonal()
            self.levels.append(
                _Level(matrix.astype(np.float32), jacobi.astype(np.float32), tree, trees)
            )
            links = _merged(links, trees, tree)
            matrix = links.matrix()
        dense = matrix.toarray().astype(np.float64)
        self.inverse: Floats = np.linalg.inv(dense).astype(np.float32)

    def apply(self, residual: Floats) -> Floats:
        """Return the approximate correction of a residual."""
        return self._cycle(0, residual.astype(np.float32)).astype(np.float64)

    def _cycle(self, depth: int, right: Floats) -> Floats:
        if depth == len(self.levels):
            return self.inverse @ right
        matrix, jacobi, tree, trees = self.levels[depth]
        change = jacobi * right
        rest = _totals(tree, right - matrix @ change, trees)
        coarse = self._cycle(depth + 1, rest)
        if 0 < depth < len(self.levels) - 1:
            rest -= self.levels[depth + 1].matrix @ coarse
            coarse = coarse + self._cycle(depth + 1, rest)
        change += coarse.take(tree)
        change += jacobi * (right - matrix @ change)
        return change


def solve(brightest: Floats, horizontal: Floats, vertical: Floats) -> Floats:
    """Solve for the illumination by preconditioned conjugate gradients.

    Args:
        brightest: Right-hand side and first guess, float64 (H, W).
        horizontal: Strengths of horizontal links, (H, W-1).
        vertical: Strengths of vertical links, (H-1, W).

    Returns:
        float64 (H, W), within 1e-3 of the exact solution.

    Raises:
        ArithmeticError: The solver does not converge.
    """
    matrix = system(horizontal, vertical)
    multigrid = _Multigrid(matrix, _grid(horizontal, vertical))
    solution = brightest.ravel().copy()
    residual = solution - matrix @ solution
    correction = multigrid.apply(residual)
    direction, scaled = correction.copy(), np.empty_like(solution)
    energy = float(residual @ correction)
    for _ in range(_STEP_LIMIT):
        if energy == 0.0:
            return solution.reshape(brightest.shape)
        image = matrix @ direction
        length = energy / float(direction @ image)
        np.multiply(direction, length, out=scaled)
        solution += scaled
        if max(scaled.max(), -scaled.min()) < TOLERANCE:
            return solution.reshape(brightest.shape)
        image *= length
        residual -= image
        correction = multigrid.apply(residual)
        previous, energy = energy, float(residual @ correction)
        direction *= energy / previous
        direction += correction
    raise ArithmeticError(f"The illumination has not converged after {_STEP_LIMIT} steps.")
