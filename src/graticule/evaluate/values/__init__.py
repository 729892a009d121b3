"""Figures of predicted numbers, with intervals over groups: arrays in, documents out."""
