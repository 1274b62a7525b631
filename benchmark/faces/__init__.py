"""Face detection on enhanced images: detectors, average precision, detections of other tools."""
