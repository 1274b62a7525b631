"""One thread a test process: `pytest -n` runs several, and threads of torch that wait for a core
that another process has are many times slower than one thread alone."""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
