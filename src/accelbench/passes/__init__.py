"""What is done to a model before a stack compiles it: from an ONNX file to an ONNX file, with a record of each step."""
