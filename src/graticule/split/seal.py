"""The seal on a held-out part: which models were scored on it on this machine.

A ledger beside the feature cache counts the models that were scored on the same held-out images, whatever run they came
from: choosing the best of them tunes on the test part.
"""

import hashlib
from pathlib import Path

from graticule.arrays import StrArray
from graticule.errors import RunError
from graticule.features.samples import Samples
from graticule.runs import cache_folder, read_json, write_json


def held_out_key(samples: Samples, part: StrArray) -> str:
    """Hash of the pixels of the held-out samples, whatever their order; "" without a held-out part."""
    hashes = sorted(item.pixel_sha256 for item, own in zip(samples.info, part, strict=True) if own == "test")
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest() if hashes else ""


def opened_by(key: str) -> list[str]:
    """Hashes of the models that were scored on a held-out part on this machine, in the order of time."""
    try:
        ledger = read_json(_ledger(key))
    except RunError:
        return []
    return [str(model) for model in ledger.get("models", [])]


def note_in_ledger(key: str, model_sha256: str) -> int:
    """Count a model scored on a held-out part; returns how many other models were scored on it before.

    A ledger that cannot be written is not fatal: it then counts fewer.
    """
    if not key:
        return 0
    models = opened_by(key)
    others = len(set(models) - {model_sha256})
    if model_sha256 not in models:
        try:
            _ledger(key).parent.mkdir(parents=True, exist_ok=True)
            write_json(_ledger(key), {"models": [*models, model_sha256]})
        except OSError:
            return others
    return others


def _ledger(key: str) -> Path:
    return cache_folder() / "openings" / f"{key[:32]}.json"
