"""Engines: each one function from files to rows, as `graticule.features.rows.Engine` says; one is this machine."""
