"""A tiny data set, a run trained on it once, and the command line as a function."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

from graticule.cli.app import main

CLASSES = ("disc", "square", "stripes")
PER_CLASS = 12
FAST = ("--views", "1", "--workers", "1", "--head", "logistic")


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    def message(self) -> str:
        """The one message of a user error, checked to be one."""
        assert self.code == 2, self
        assert "Traceback" not in self.err
        assert self.err.count("graticule: ") == 1, self.err
        return self.err.split("graticule: ")[1]


Command = Callable[..., Outcome]


def run_command(*words: object) -> Outcome:
    """Run `graticule WORDS` in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["graticule", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def draw(file: Path, kind: str, seed: int) -> None:
    """One 32 px image of a class that is easy to tell from the others."""
    rng = np.random.default_rng([seed, CLASSES.index(kind)])
    image = PIL.Image.new("L", (32, 32), int(rng.integers(20, 60)))
    pen, shade = PIL.ImageDraw.Draw(image), int(rng.integers(160, 240))
    x, y, side = (int(v) for v in rng.integers((2, 2, 14), (10, 10, 20)))
    if kind == "disc":
        pen.ellipse((x, y, x + side, y + side), fill=shade)
    elif kind == "square":
        pen.rectangle((x, y, x + side, y + side), fill=shade)
    else:
        for column in range(x % 4, 32, 4):
            pen.line((column, 0, column, 32), fill=shade)
    noisy = np.asarray(image).astype(int) + rng.integers(-8, 9, (32, 32))
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file)


def _draw_classes(folder: Path, *, n: int = PER_CLASS, first: int = 0, classes: tuple[str, ...] = CLASSES) -> Path:
    """Class folders of n images each."""
    for kind in classes:
        for i in range(first, first + n):
            draw(folder / kind / f"{kind}_{i:02d}.png", kind, i)
    return folder


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory, shared_graphs: Path) -> Path:
    """A feature cache for everything that is made once."""
    folder = tmp_path_factory.mktemp("session-cache")
    (folder / "graphs").symlink_to(shared_graphs, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def in_session_cache(session_cache: Path) -> Iterator[None]:
    """The session's cache in the environment, while fixtures of the session are made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRATICULE_CACHE", str(session_cache))
        yield


@pytest.fixture
def warm_cache(
    cache_home: Path, session_cache: Path, trained: tuple[Path, Outcome], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The cache that holds the features of `images` since `trained`, instead of the empty one of this test."""
    monkeypatch.setenv("GRATICULE_CACHE", str(session_cache))
    return session_cache


@pytest.fixture(scope="session")
def graticule() -> Command:
    """The command line as a function."""
    return run_command


@pytest.fixture(scope="session")
def fast() -> tuple[str, ...]:
    """Options of `train` that make it quick."""
    return FAST


@pytest.fixture(scope="session")
def draw_classes() -> Callable[..., Path]:
    """Draw class folders of n images, numbered from `first`."""
    return _draw_classes


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of 3 x 12 images."""
    return _draw_classes(tmp_path_factory.mktemp("data") / "images")


@pytest.fixture(scope="session")
def trained(images: Path, in_session_cache: None) -> tuple[Path, Outcome]:
    """A finished run with a held-out part, and what the command printed."""
    folder = images.parent / "run"
    return folder, run_command("train", images, "--out", folder, *FAST, "--folds", 3, "--test-size", 0.25)


@pytest.fixture(scope="session")
def run(trained: tuple[Path, Outcome]) -> Path:
    """A finished run: 3 folds of 9 images and a held-out part of 9."""
    return trained[0]


@pytest.fixture(scope="session")
def second_run(run: Path) -> Path:
    """The same run in another folder."""
    return Path(shutil.copytree(run, run.parent / "second-run"))
