"""Where the command `graticule` begins: Ctrl-C is answered before anything that takes time is imported."""

import sys

from graticule.cli.interrupt import INTERRUPTED, say_interrupted, watch_for_ctrl_c


def main() -> None:
    """Entry point of the command `graticule`."""
    try:
        watch_for_ctrl_c()
        from graticule.cli.app import main as run

        run()
    except KeyboardInterrupt:
        say_interrupted()
        sys.exit(INTERRUPTED)
