"""Figures: curves, image grids, diagrams."""
