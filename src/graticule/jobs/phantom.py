"""`graticule phantom`: a generated data set with known truth."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graticule.errors import RunError
from graticule.files import place_folder
from graticule.phantoms.families import write_phantom
from graticule.phantoms.options import PhantomOptions
from graticule.runs import reserved


def phantom(
    kind: str,
    out: Path | str,
    options: PhantomOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make a phantom data set in a new folder.

    The files are written beside `out` and moved there when complete, so an interrupted run leaves no `out`.
    Parameters, result and errors are those of `graticule.phantoms.families.write_phantom`.

    Raises
    ------
    RunError
        If `out` exists and is not an empty folder, or cannot be written.
    """
    target = Path(out).absolute()
    _refuse_existing(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            reserved(target, "phantom", lambda: _refuse_existing(target)),
            tempfile.TemporaryDirectory(
                prefix=f".{target.name[:100]}.", dir=target.parent, ignore_cleanup_errors=True
            ) as temporary,
        ):
            draft = Path(temporary) / "data"
            record = write_phantom(kind, draft, options, progress)
            _refuse_existing(target)
            place_folder(draft, target)
    except OSError as error:
        raise RunError(f"cannot write the phantom to {target}: {error.strerror or error}") from error
    return record


def _refuse_existing(target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise RunError(f"{target} exists already and is not an empty folder; give --out a new name or remove it first")
