"""``tool.py tflite MODEL DATA OUT``: a TFLite file as ONNX, by the package tflite2onnx, without TensorFlow."""

import sys

import tflite2onnx

if __name__ == "__main__":
    _, model, _, out = sys.argv[1:]
    tflite2onnx.convert(model, out)
