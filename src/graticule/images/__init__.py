"""A raster to the picture that a network sees, and what is measured on the way."""
