"""Enhance photograph files of any size, strip by strip if necessary, and export to ONNX."""
