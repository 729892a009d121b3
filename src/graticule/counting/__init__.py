"""Answers to counts per class and specimen, with intervals."""
