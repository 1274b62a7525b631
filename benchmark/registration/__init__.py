"""Registration of misaligned pairs: SURF, RANSAC, criteria, geometry."""
