"""A review over made-up images: items with known scores, whose files need not exist."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import PIL.Image

from graticule.arrays import object_array
from graticule.decide.decisions import ACCEPT, NOVEL, REJECT, REVIEW
from graticule.record.events import Event
from graticule.record.numbers import Quantity
from graticule.review.class_items import ClassItems
from graticule.review.items import Items
from graticule.review.number_items import NumberItems

CLASSES = ("a", "b", "c")


def items_of(n: int, seed: int = 0, classes: tuple[str, ...] = CLASSES, **columns: Any) -> ClassItems:
    """n items: the surest three fifths accepted, every tenth novel, the rest sent to review."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(len(classes), 0.4), size=n)
    best = proba.argmax(axis=1)
    score = proba.max(axis=1)
    decision, reason = np.full(n, REVIEW, object), np.full(n, "between a and b", object)
    sure = score >= np.quantile(score, 0.4) if n else np.zeros(0, bool)
    decision[sure], reason[sure] = ACCEPT, "sure"
    novel = np.arange(n) % 10 == 9
    decision[novel], reason[novel] = REJECT, NOVEL
    made = ClassItems(
        sha256=object_array([hashlib.sha256(b"item %d" % i).hexdigest() for i in range(n)]),
        path=object_array([f"img/{i:05d}.png" for i in range(n)]),
        classes=classes,
        proba=proba,
        sets=tuple((classes[k],) for k in best),
        novelty=np.where(novel, 0.005, 0.5),
        decision=decision,
        reason=reason,
        nearest=((),) * n,
        given=object_array([""] * n),
        group=object_array([f"g{i % 4}" for i in range(n)]),
        suspicion=np.full(n, np.nan),
        suggested=object_array([classes[k] for k in best]),
        sampling_prob=np.full(n, np.nan),
    )
    return replace(made, **columns)


SomeItems = TypeVar("SomeItems", bound=Items)


def with_files(items: SomeItems, folder: Path, names: list[str] | None = None) -> tuple[SomeItems, list[Path]]:
    """The items with a small picture each, all different, and their files."""
    files, sha256 = [], []
    paths = names or items.path.tolist()
    for i, name in enumerate(paths):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        row, column = np.mgrid[:48, :64]
        pixels = np.stack([row * 4, column * 3, np.full_like(row, i % 251)], axis=2).astype(np.uint8)
        pixels[:8, :8] = (i // 251, i % 251, 90)
        PIL.Image.fromarray(pixels).save(file, format="png")
        files.append(file)
        sha256.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return replace(items, sha256=object_array(sha256), path=object_array(paths)), files


def event_of(seq: int, image: str | None, value: str | None, who: str = "ann", **more: object) -> Event:
    row: dict[str, object] = dict.fromkeys(Event.__dataclass_fields__)
    row |= {"seq": seq, "format": 1, "time": "2026-01-01T00:00:00.000000Z", "who": who, "action": "label",
            "image_sha256": image, "new_value": value, "blind": True, "bulk": False}  # fmt: skip
    return Event(**row | more)  # type: ignore[arg-type]


SIZE = Quantity("size", "nm")


def numbers_of(n: int, seed: int = 0, **columns: Any) -> NumberItems:
    """n items with a number from 0 to 100 nm: every tenth novel, every tenth with wide limits, the rest accepted."""
    rng = np.random.default_rng(seed)
    value = rng.uniform(10, 90, n)
    half = rng.uniform(2, 5, n)
    decision, reason = np.full(n, ACCEPT, object), np.full(n, "narrow", object)
    novel, wide = np.arange(n) % 10 == 9, np.arange(n) % 10 == 8
    half[wide] = 20.0
    decision[wide], reason[wide] = REVIEW, "interval 40 nm wide, accepted up to 10"
    decision[novel], reason[novel] = REJECT, NOVEL
    made = NumberItems(
        sha256=object_array([hashlib.sha256(b"item %d" % i).hexdigest() for i in range(n)]),
        path=object_array([f"img/{i:05d}.png" for i in range(n)]),
        novelty=np.where(novel, 0.005, 0.5),
        decision=decision,
        reason=reason,
        nearest=((),) * n,
        group=object_array([f"g{i % 4}" for i in range(n)]),
        suspicion=np.full(n, np.nan),
        sampling_prob=np.full(n, np.nan),
        numbers_of=SIZE,
        value=value,
        low=np.where(novel, np.nan, value - half),
        high=np.where(novel, np.nan, value + half),
        level=0.9,
        given=np.full(n, np.nan),
        bounds=(0.0, 100.0),
        seen=(10.0, 90.0),
        logarithmic=False,
    )
    return replace(made, **columns)
