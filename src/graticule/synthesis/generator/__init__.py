"""Generators: from real images on the canvas to new ones, each a model that can be stopped at any step."""
