"""What a manifest, a run or a bundle is about: each says it under "task", and here alone it is read and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graticule.errors import TaskError

CLASSIFICATION = "classification"
TASKS = (CLASSIFICATION,)
_LONGEST = 100


def task_of(document: Mapping[str, Any], where: str | Path) -> str:
    """The task of a document; one that an earlier version wrote names none, and is of classes.

    Parameters
    ----------
    document : mapping
        run.json, bundle.json, or what stands beside the columns of a manifest.
    where : str or Path
        Where it was found, for the message.

    Raises
    ------
    TaskError
        When this version does not know it.
    """
    task = document.get("task", CLASSIFICATION)
    if task not in TASKS:
        raise TaskError(
            f"{where} is of the task {ascii(task)[:_LONGEST]}, which this version does not know (known: "
            f"{', '.join(TASKS)}). Use the version that wrote it, or a newer one"
        )
    return str(task)
