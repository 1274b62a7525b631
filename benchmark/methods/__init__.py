"""Methods: how one is declared, found, chained with others, and given its weights.

A method elsewhere needs this package, `benchmark.training.recipe` if it learns, and nothing else.
"""

from benchmark.core.images import Image
from benchmark.methods.chain import Chain, MethodContext, Step, outputs, run, save
from benchmark.methods.plugin import Method, Plugin, Released, WeightsFile, from_network, plugin
from benchmark.methods.registry import ENTRY_POINTS, PACKAGE, find, names

__all__ = [
    "ENTRY_POINTS",
    "PACKAGE",
    "Chain",
    "Image",
    "Method",
    "MethodContext",
    "Plugin",
    "Released",
    "Step",
    "WeightsFile",
    "find",
    "from_network",
    "names",
    "outputs",
    "plugin",
    "run",
    "save",
]
