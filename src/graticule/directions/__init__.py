"""Directions in a picture: gradients, their distribution, what chance gives; arrays in, numbers out."""
