"""`graticule synthesize`: images of rare kinds, judged."""
