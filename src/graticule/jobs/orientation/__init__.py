"""`graticule orientation`."""
