"""Choice of examples and their encoding."""

import base64
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.errors import ImageError
from graticule.predictions import Predictions
from graticule.report.thumbnails import choose_examples, data_uri, thumbnail


def table(n: int, k: int, seed: int = 0) -> Predictions:
    """n scored samples of k classes, about four fifths of them right."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    proba = rng.dirichlet(np.ones(k), n) * 0.5
    guess = np.where(rng.random(n) < 0.8, y, (y + 1) % k)
    proba[np.arange(n), guess] += 0.5
    classes = tuple(f"class {i:02d}" for i in range(k))
    return Predictions(
        sample_id=np.array([f"id{i}" for i in range(n)], dtype=object),
        path=np.array([f"{i:05d}.png" for i in range(n)], dtype=object),
        part=np.array(["cv"] * n, dtype=object),
        fold=np.zeros(n, dtype=np.int64),
        label=np.array([classes[i] for i in y], dtype=object),
        classes=classes,
        proba=proba,
    )


@pytest.mark.parametrize("k", [2, 3, 8, 30, 60])
def test_examples_are_few_right_where_said_and_sorted(k: int) -> None:
    shown = table(600, k)
    chosen = choose_examples(shown)
    rows = [row for mine in chosen.right.values() for row in mine]
    assert len(rows) + len(chosen.wrong) <= 60
    assert len(set(rows + chosen.wrong)) == len(rows) + len(chosen.wrong)
    guess, top = shown.proba.argmax(axis=1), shown.proba.max(axis=1)
    for name, mine in chosen.right.items():
        own = np.flatnonzero((shown.label == name) & (guess == shown.y))
        assert mine[0] in own
        assert top[mine[0]] == top[own].max()
        assert [top[row] for row in mine[1:]] == sorted(top[own])[: len(mine) - 1]
    errors = np.flatnonzero(guess != shown.y)
    assert [top[row] for row in chosen.wrong] == sorted(top[errors], reverse=True)[: len(chosen.wrong)]


def test_choice_does_not_depend_on_the_order_of_rows() -> None:
    shown = table(300, 4)
    tied = Predictions(**{**shown.__dict__, "proba": np.round(shown.proba, 1)})
    order = np.random.default_rng(1).permutation(300)
    mixed = tied.take(order)
    first, second = choose_examples(tied), choose_examples(mixed)
    assert [tied.path[row] for row in first.wrong] == [mixed.path[row] for row in second.wrong]
    for name, rows in first.right.items():
        assert [tied.path[row] for row in rows] == [mixed.path[row] for row in second.right[name]]


def test_with_too_many_classes_the_hardest_are_shown() -> None:
    shown = table(800, 60)
    chosen = choose_examples(shown)
    right = shown.proba.argmax(axis=1) == shown.y
    sensitivity = {name: right[shown.label == name].mean() for name in shown.classes}
    left_out = set(shown.classes) - set(chosen.right)
    assert len(left_out) == 24
    assert max(sensitivity[name] for name in chosen.right) <= min(sensitivity[name] for name in left_out)


def test_no_rows_and_no_errors_are_no_trouble() -> None:
    shown = table(50, 2)
    assert choose_examples(shown.take(np.zeros(50, dtype=bool))).wrong == []
    perfect = shown.take(shown.proba.argmax(axis=1) == shown.y)
    assert choose_examples(perfect).wrong == []


def decoded(uri: str) -> PIL.Image.Image:
    head, _, body = uri.partition(",")
    assert head in ("data:image/jpeg;base64", "data:image/png;base64")
    return PIL.Image.open(io.BytesIO(base64.b64decode(body)))


@pytest.mark.parametrize(
    ("shape", "size"),
    [((300, 600), (112, 56)), ((50, 50), (50, 50)), ((9, 4), (4, 9)), ((1, 5000), (112, 1)), ((112, 113), (112, 111))],
)
def test_thumbnails_fit_and_keep_their_proportions(shape: tuple[int, int], size: tuple[int, int]) -> None:
    rgb = np.zeros((*shape, 3), dtype=np.uint8)
    rgb[..., 0] = 200
    image = decoded(data_uri(rgb))
    assert image.size == size
    red, green, blue = (int(channel) for channel in np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0))
    assert (red > 190, green < 10, blue < 10) == (True, True, True)


def test_an_image_that_cannot_be_read_is_none() -> None:
    def broken(file: Path) -> np.ndarray:
        raise ImageError(str(file), "the file ends early")

    def missing(file: Path) -> np.ndarray:
        raise FileNotFoundError(file)

    assert thumbnail(Path("a.png"), broken) is None
    assert thumbnail(Path("a.png"), missing) is None
    assert thumbnail(None, broken) is None
