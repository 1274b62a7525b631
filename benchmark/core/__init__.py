"""Foundations: images, JPEG, files, hashes, caches, settings, statistics."""
