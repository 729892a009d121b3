"""`graticule explain`."""
