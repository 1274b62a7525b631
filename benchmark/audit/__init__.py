"""Audit of raw sets: mispairs, misalignment and other findings, and the page that shows them."""
