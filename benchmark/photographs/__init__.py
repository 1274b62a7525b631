"""Photographs of any size enhanced: files in, files out, strip by strip, and ONNX."""
