"""Copies and altered copies of the same picture, and their families."""
