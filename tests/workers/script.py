"""A script that starts a worker, guarded or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from graticule.workers.pool import WorkerPool
from graticule.errors import OptionError

def lost(cause):
    return cause

def main():
    with WorkerPool(1) as pool:
        print("started", *pool.submit(abs, [-5], lost).result(), flush=True)
        pool.submit(input, ["ignored"], lost)
        sys.stdin.readline()
"""


GUARD = "if __name__ == '__main__':\n    main()\n"


TOLD = "try:\n    main()\nexcept OptionError as error:\n    print(error)\n"


def start_script(script: Path, text: str) -> subprocess.Popen[str]:
    script.write_text(text)
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
