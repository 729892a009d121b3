"""JSON documents that others may have written: read strictly, so that what follows can rely on plain values."""

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

_LARGEST = 2**63


def parse_document(content: bytes | str) -> dict[str, Any]:
    """The JSON object in a file's content.

    Python's reader takes more than JSON: NaN and Infinity, numbers beyond every range, a key twice (the last one
    counts), halves of a surrogate pair. None of it is written by this program, and each ends in a fault far away.

    Raises
    ------
    ValueError
        When it is no JSON object, or holds one of these; the message says which.
    """
    try:
        found = json.loads(
            content,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        # lone surrogates are the only strings that cannot be encoded
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise ValueError("a text in it is no valid Unicode") from error
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    return found


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!a} stands there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


def _whole(text: str) -> int:
    value = int(text) if len(text) < 40 else _LARGEST
    if not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"the number {text[:40]} is out of range")
    return value
