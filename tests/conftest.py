"""One thread a test process: `pytest -n` runs several, and threads of torch that wait for a core
that another process has are many times slower than one thread alone."""

import os

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture
def one_thread():
    """Let torch work in one thread whatever the environment says."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def pair_folders(tmp_path):
    """Two dark images and their references, `1` and `2`."""
    from tests.helpers import pictures

    return pictures.write_pairs(tmp_path, ("1", "2"))


@pytest.fixture
def packages_read_anew():
    """Let a test change which packages are installed: they are read once per process otherwise."""
    from benchmark.methods import registry

    registry.installed.cache_clear()
    yield
    registry.installed.cache_clear()
