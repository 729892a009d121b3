"""What a manifest, a run or a bundle is about: each says it under "task", and here alone it is read and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graticule.errors import TaskError

CLASSIFICATION, REGRESSION = "classification", "regression"
TASKS = (CLASSIFICATION, REGRESSION)
_ABOUT = {CLASSIFICATION: "classes", REGRESSION: "a number, trained with --target"}
_LONGEST = 100


def task_of(document: Mapping[str, Any], where: str | Path, *, takes: Sequence[str] = (CLASSIFICATION,)) -> str:
    """The task of a document; one that an earlier version wrote names none, and is of classes.

    Parameters
    ----------
    document : mapping
        run.json, bundle.json, or what stands beside the columns of a manifest.
    where : str or Path
        Where it was found, for the message.
    takes : sequence of str
        The tasks that the caller can work with.

    Raises
    ------
    TaskError
        When this version does not know it, or the caller works with others.
    """
    task = document.get("task", CLASSIFICATION)
    if task not in TASKS:
        raise TaskError(
            f"{where} is of the task {ascii(task)[:_LONGEST]}, which this version does not know (known: "
            f"{', '.join(TASKS)}). Use the version that wrote it, or a newer one"
        )
    if task not in takes:
        wanted = " or ".join(f"{name!r} ({_ABOUT[name]})" for name in takes)
        raise TaskError(f"{where} is of the task {task!r} ({_ABOUT[str(task)]}); what was asked takes {wanted} only")
    return str(task)
