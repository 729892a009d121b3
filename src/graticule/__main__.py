"""`python -m graticule`."""

from graticule.cli.app import main

if __name__ == "__main__":
    main()
