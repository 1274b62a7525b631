"""Methods: how one is declared, found, chained with others, and given its weights.

A method elsewhere needs this package, `benchmark.training.recipe` if it learns, and nothing else.
"""

from benchmark.core.images import Image
from benchmark.methods.chain import Chain, MethodContext, Step, advance, outputs, run, save
from benchmark.methods.plugin import (
    Method,
    NetworkMethod,
    Plugin,
    Released,
    WeightsFile,
    from_network,
    plugin,
)
from benchmark.methods.registry import digest, find, module_of, names

__all__ = [
    "Chain",
    "Image",
    "Method",
    "MethodContext",
    "NetworkMethod",
    "Plugin",
    "Released",
    "Step",
    "WeightsFile",
    "advance",
    "digest",
    "find",
    "from_network",
    "module_of",
    "names",
    "outputs",
    "plugin",
    "run",
    "save",
]
