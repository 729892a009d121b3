"""What computes: pretrained networks as ONNX graphs, embedded and timm's."""
