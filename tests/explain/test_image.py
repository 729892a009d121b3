"""One image explained: what is seen of it, in order and within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from graticule.explain.image import Seen, explain_file, look, probabilities_of, results_in_order, sizes_of
from graticule.explain.model import ExplainableModel
from graticule.images.decode import ImageFile, decode_file


def test_results_keep_their_order_and_few_are_under_way() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            gate.wait(10)
        return item * item

    def items() -> Iterator[int]:
        for item in range(20):
            begun.append(item)
            yield item

    with ThreadPoolExecutor(4) as threads:
        found = results_in_order(work, items(), threads, 3)
        gate.set()
        assert next(found) == 0
        assert len(begun) <= 4
        assert list(found) == [item * item for item in range(1, 20)]
        assert list(results_in_order(work, [], threads, 3)) == []


def test_without_a_bar_or_margin_all_is_picture() -> None:
    seen = Seen(np.zeros((32, 32, 3), np.uint8), np.array([32.0, 32.0]), (32, 32), None)
    assert seen.inside.all()
    assert seen.border[0].all()
    assert not seen.border[16, 16]
    bar = np.zeros((32, 32), bool)
    bar[30:] = True
    assert not (Seen(seen.pixels, seen.size, seen.shown, bar).border & bar).any()


def test_the_likeliest_class_is_explained_where_its_colour_is(
    colours: Callable[..., Any], red_or_blue: Any, spot: Callable[..., Any], tmp_path: Path
) -> None:
    encoder = colours()
    model = ExplainableModel.of(encoder, [red_or_blue])
    file = ImageFile(tmp_path / "red.png")
    PIL.Image.fromarray(spot((250, 0, 0), 4, 20)).save(file.path)

    def decode(own: ImageFile) -> Any:
        return decode_file(own, encoder.preprocessing)

    seen = look(file, decode, model.encoder.preprocessing)
    assert isinstance(seen, Seen)
    assert (seen.size.tolist(), seen.shown) == ([32.0, 32.0], (32, 32))
    assert sizes_of(model, seen, 2) is None
    proba = probabilities_of(model, seen)(seen.pixels[None])[0]
    one = explain_file((file, proba), decode, model, model.method, 1)
    assert not isinstance(one, str)
    assert one.classes.tolist() == [0]
    column, row = one.peak
    assert (0.55 < column < 0.9, 0.05 < row < 0.4) == (True, True)
    file.path.write_bytes(b"none")
    assert isinstance(look(file, decode, model.encoder.preprocessing), str)
    assert isinstance(explain_file((file, proba), decode, model, model.method, 1), str)
