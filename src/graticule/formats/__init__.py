"""A file of bytes to a raster: one module per image format, and what names a file that is none."""
