"""Face boxes and the formats of label files."""
