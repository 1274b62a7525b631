"""Detections that other tools wrote, read with every field of their formats."""
