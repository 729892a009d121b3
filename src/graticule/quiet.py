"""Nothing goes out: packages that report to their makers are told not to, before any of them is imported.

The package calls `keep_quiet` when it is imported itself, so it runs first in every process: the command line, decoding
workers, the web server, each process of a distributed training, and `import graticule` in a program of the user's.
"""

import os
import sys
from typing import Any

# read by the packages when they are imported; what starts with a package's name stops that package, the last one is a
# wish that any package may honour (https://donottrack.sh)
SWITCHES = {
    # on by default from onnxruntime 1.32: looks up its maker's server, and keeps a device id and a database of events
    # in the user's cache folder; `disable_telemetry_events` alone comes too late for the files
    "ORT_DISABLE_TELEMETRY": "onnxruntime",
    # with a download that was asked for: versions of what else is installed
    "HF_HUB_DISABLE_TELEMETRY": "huggingface_hub",
    "DO_NOT_TRACK": "others",
}
_ON = ("1", "true", "yes", "on")


def keep_quiet() -> None:
    """Set every switch that the user has not set; an empty value counts as not set."""
    late = "onnxruntime" in sys.modules and not os.environ.get("ORT_DISABLE_TELEMETRY", "").strip()
    for name in SWITCHES:
        if not os.environ.get(name, "").strip():
            os.environ[name] = "1"
    if late:
        # the user's program imported it first: its files are there, but nothing more is reported
        runtime: Any = sys.modules["onnxruntime"]
        getattr(runtime, "disable_telemetry_events", lambda: None)()


def switched_on() -> dict[str, str]:
    """Switches that the user has set so that a package reports: its name by the switch."""
    return {name: package for name, package in SWITCHES.items() if os.environ.get(name, "").strip().lower() not in _ON}
