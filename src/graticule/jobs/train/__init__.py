"""`graticule train`."""
