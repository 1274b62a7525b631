"""Boxes of faces and the formats of their label files."""
