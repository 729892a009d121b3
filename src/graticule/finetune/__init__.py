"""The network itself trained on classes, fold by fold, and shipped as ONNX."""
