"""Readers of labels and detections that other tools wrote, with every field of their formats."""
