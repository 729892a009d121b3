"""`python -m graticule`."""

from graticule.cli.start import main

if __name__ == "__main__":
    main()
