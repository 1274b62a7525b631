"""The suite: data, compression, training loop, metrics, detection, tables and report."""
