"""Face detection on enhanced images: detectors, average precision, files from elsewhere."""
