"""Intervals, resampling and association: arrays in, limits out; knows nothing of images."""
