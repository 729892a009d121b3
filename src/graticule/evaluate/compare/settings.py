"""What a row of a comparison says of a run: its settings and time, as far as its record tells."""

from pathlib import Path
from typing import Any

from graticule.runs import read_run
from graticule.tasks import TASKS


def settings_of(record: dict[str, Any]) -> dict[str, Any]:
    """What a row of the table says of a run; None where its record is silent."""
    origin = _model_record(record)
    options, embedding = origin.get("options") or {}, origin.get("embedding") or {}
    method = options.get("method") or origin.get("method") or "features"
    head = (origin.get("head") or {}).get("requested") or options.get("head")
    training = origin.get("training") or {}
    size = embedding.get("input_size") or (training.get("recipe") or {}).get("input_size") or options.get("input_size")
    return {
        "backbone": embedding.get("backbone") or options.get("backbone"),
        "views": embedding.get("views"),
        "head": "network" if method == "finetune" else head,
        "method": method,
        "weights": options.get("weights"),
        "input_size": size,
        "wall_time_s": _training_time(origin),
        "device": training.get("device"),
        "cached": embedding.get("cached") if origin.get("verb") == "train" else None,
        "platform": origin.get("platform"),
    }


def _training_time(origin: dict[str, Any]) -> float | None:
    """Seconds of the training command; of a resumed one at least those of its folds. None where not recorded."""
    if origin.get("verb") != "train" or origin.get("wall_time_s") is None:
        return None
    folds = (origin.get("training") or {}).get("folds") or []
    return max(float(origin["wall_time_s"]), float(sum(fold.get("seconds") or 0.0 for fold in folds)))


def _model_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record of the training: for an evaluation that of its model's run, where it still lies there."""
    folder = Path(str(record.get("model_run", "")))
    return read_run(folder, TASKS) if record.get("verb") == "evaluate" and (folder / "run.json").is_file() else record
