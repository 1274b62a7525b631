"""Registration of misaligned pairs: SURF, RANSAC, dense alignment, criteria, geometry."""
