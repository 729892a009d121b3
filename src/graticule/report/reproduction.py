"""How a run was made: command, versions, network and hashes, for the pages of runs of every task."""

from collections.abc import Mapping
from typing import Any


def reproduction_content(run: Mapping[str, Any], model_run: str | None) -> dict[str, Any]:
    """What stands under "How to reproduce".

    Parameters
    ----------
    run : mapping
        run.json.
    model_run : str or None
        The run whose model was evaluated, in words; None for a run itself.
    """
    data, embedding = run.get("data") or {}, run.get("embedding") or {}
    hashes = [
        ("Data (paths, labels and file hashes)", data.get("sha256")),
        ("Network weights", embedding.get("weights_sha256")),
        ("Model bundle", run.get("bundle_sha256")),
    ]
    return {
        "command": run.get("command"),
        "hashes": [(name, value) for name, value in hashes if value],
        "packages": sorted((run.get("packages") or {}).items()),
        "embedding": embedding,
        "input": _input(embedding),
        "model_run": model_run,
        "options": sorted((str(k), "" if v is None else str(v)) for k, v in (run.get("options") or {}).items()),
    }


def _input(embedding: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Input size and views with who chose them; nothing where a run of an earlier version says nothing of it."""
    names = {"input_size": "Input of the network", "views": "Views averaged"}
    choice = embedding.get("choice") or {}
    told = {"input_size": f"{embedding.get('input_size')} px", "views": str(embedding.get("views"))}
    return [(name, f"{told[key]} ({choice[key]['why']})") for key, name in names.items() if key in choice]
