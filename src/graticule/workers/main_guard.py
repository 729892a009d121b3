"""A script that starts worker processes is imported by each of them: what it does must stand under the main guard.

Workers are started by spawn (the only way on Windows and macOS): a fresh interpreter imports the script that started
it under another name. Without `if __name__ == "__main__":` it would do everything once more.
"""

import ast
import multiprocessing
import sys
from pathlib import Path

from graticule.errors import OptionError

UNGUARDED = 78  # exit code of a worker that found itself doing the script's work again
_REMEDY = 'put its calls under `if __name__ == "__main__":`'


def unguarded(script: str) -> OptionError:
    """The error for a script whose calls would be repeated by its workers."""
    return OptionError(f"{script} starts worker processes, which import it again: {_REMEDY}")


def script_name() -> str:
    """What the user started, for messages."""
    return str(getattr(sys.modules.get("__main__"), "__file__", None) or "the script")


def check_main_guard() -> None:
    """Refuse to start worker processes from a script that they would run again from its first line.

    A worker that comes here while it imports the script ends without a word: the process that started it tells.

    Raises
    ------
    OptionError
        When the running script has no main guard, or came on standard input, where workers cannot read it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(UNGUARDED)
    file = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "__main__.py")
    if file.name in ("__main__.py", "ipython"):
        return  # `python -m package`, a notebook or `python -c`: workers import nothing
    if not file.is_file():
        raise OptionError(
            f"worker processes cannot read the script {file}, which they import: save it as a file, and {_REMEDY}"
        )
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # no Python source: a frozen program
        return
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    if "__name__" not in names:
        raise unguarded(str(file))
