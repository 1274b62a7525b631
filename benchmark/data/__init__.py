"""Data sets on disk: readers, fingerprints, leaks, merged lists, compressed copies."""
