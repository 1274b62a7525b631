"""The suite: data, compression, training loop, metrics, detection, tables and report."""

from pathlib import Path

from benchmark.core import numerics

ROOT = Path(__file__).resolve().parents[1]
"""The repository's folder, which holds data/, weights/ and results/."""

numerics.flush_denormals()
numerics.wait_asleep()
