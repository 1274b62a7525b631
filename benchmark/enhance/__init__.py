"""Enhancement of photographs of any size, and export to ONNX."""
