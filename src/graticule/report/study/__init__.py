"""Pages of `graticule study`."""
