"""The network itself trained on classes or a number, fold by fold, and shipped as ONNX."""
