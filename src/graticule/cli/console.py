"""What the verbs print: tables on stdout, progress on stderr."""

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TextIO, cast

import typer

from graticule.plain_text import visible

LISTED_FAILURES = 3
_SHOWN = 5


class SafeStream:
    """A stream of text on which names from outside do nothing: control characters are written out.

    A name could else clear the screen, retitle the window, or be read backwards. Line breaks and tabs stay. A reader
    who goes away (`| head`, a closed terminal) stops the words, never the work.

    Parameters
    ----------
    bare : text stream
    name : str
        For errors: "standard output".
    needed : bool
        Whether an output that cannot be written (a full disk) is an error.
    """

    def __init__(self, bare: TextIO, name: str = "standard output", *, needed: bool = True) -> None:
        self.bare, self._name, self._needed = bare, name, needed
        self._failed: tuple[int | None, str | None] | None = None

    def write(self, text: str) -> int:
        """Write text; returns its length."""
        with self._reader_may_go():
            self.bare.write(visible(text, lines=True))
        return len(text)

    def flush(self) -> None:
        """Hand on what is written so far."""
        with self._reader_may_go():
            self.bare.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    @contextlib.contextmanager
    def _reader_may_go(self) -> Iterator[None]:
        try:
            if self._failed is not None:  # said until it is heard: some writers try out a stream and drop the answer
                raise OSError(*self._failed)
            yield
        except OSError as error:
            # nothing further is written, not at the end of the process either
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.bare.fileno())
            # EINVAL: what Windows says of a pipe without a reader; EIO: a terminal that was closed
            if self._needed and error.errno not in (errno.EPIPE, errno.EINVAL, errno.EIO):
                self._failed = error.errno, error.strerror
                raise OSError(error.errno, error.strerror, self._name) from error

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # writers of bytes would pass by
            raise AttributeError(name)
        return getattr(self.bare, name)


@contextlib.contextmanager
def showing() -> Iterator[None]:
    """Let stdout and stderr show what they are given, while the body runs."""
    before = sys.stdout, sys.stderr
    out, err = (_tolerant(bare(stream)) for stream in before)
    sys.stdout = cast(TextIO, SafeStream(out))
    sys.stderr = cast(TextIO, SafeStream(err, "standard error", needed=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _tolerant(stream: TextIO | None) -> TextIO:
    """The stream, told to write characters that its encoding lacks as escapes; one that is closed takes all."""
    if stream is None:
        return io.StringIO()
    if getattr(stream, "errors", None) in ("strict", "surrogateescape") and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


def bare(stream: TextIO) -> TextIO:
    """The stream itself, for what moves the cursor on purpose."""
    return stream.bare if isinstance(stream, SafeStream) else stream


class ProgressBars:
    """Bars with rate and time left on stderr; one line per step where stderr is no terminal. A context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        # bars move the cursor; what stands beside them is made visible here
        self._console = Console(file=bare(sys.stderr))
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def step(self, text: str) -> None:
        """Announce a step that has no count."""
        self._close()
        if self._console.is_terminal:
            self._task = self._bars.add_task(visible(text), total=None, rate="")
        else:
            print(f"{text} ...", file=sys.stderr, flush=True)

    def begin(self, text: str, total: int) -> None:
        """Announce a step of `total` items."""
        self._close()
        if self._console.is_terminal:
            self._task = self._bars.add_task(visible(text), total=total, rate="")
        else:
            print(f"{text} {total:,} ...", file=sys.stderr, flush=True)

    def advance(self, done: int) -> None:
        """Tell how many items are done."""
        if self._task is None:
            return
        self._bars.update(self._task, completed=done)
        speed = self._bars.tasks[-1].speed
        if speed:
            self._bars.update(self._task, rate=f"{speed:,.1f}/s")

    def note(self, text: str) -> None:
        """A line that stays above the bars."""
        if self._console.is_terminal:
            self._console.print(visible(text, lines=True), markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def set(self, done: int, total: int) -> None:
        """Tell how many items are done of how many."""
        if self._task is not None:
            self._bars.update(self._task, total=total)
        self.advance(done)

    def _close(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[-1]
            total = task.total if task.total is not None else 1
            self._bars.update(self._task, total=total, completed=total)
            self._task = None


def print_json(content: Any) -> None:
    """JSON on stdout; characters that act instead of show, or that stdout cannot write, are JSON's own escapes."""
    document = {"schema_version": 1, **content}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(document, indent=1)
    typer.echo(text.replace("\x7f", "\\u007f"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain aligned table on stdout."""
    cells = [list(columns), *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[j]) for row in cells) for j in range(len(columns))]
    for row in cells:
        typer.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def figure_text(figure: Mapping[str, Any]) -> str:
    """A figure of metrics.json as text: "95.1 % (94.2 to 95.9)"."""
    if figure["value"] is None:
        return "not defined"
    text = f"{100 * figure['value']:.1f} %"
    return text if figure["low"] is None else f"{text} ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"


def print_mix(metrics: Mapping[str, Any]) -> None:
    """The figures at a mix of classes to come, where one was asked for."""
    found = metrics.get("prevalence")
    if not found:
        return
    mix = " : ".join(f"{amount:,.10g} {name}" for name, amount in found["mix"].items())
    typer.echo(f"\nat the mix {mix}")
    rows = [
        (name, *(figure_text(own[key]) for key in ("precision", "average_precision")))
        for name, own in found["per_class"].items()
        if own["average_precision"] is not None
    ]
    rows.append(("macro", *(figure_text(found[key]) for key in ("macro_precision", "average_precision_macro"))))
    print_table(("class", "precision (95 % interval)", "average precision"), rows)
    for words in found["words"]:
        typer.echo(words)


def print_notes(metrics: Mapping[str, Any], warnings: Iterable[str], figure: str = "accuracy") -> None:
    """Why a figure, and so every one, has no interval, where that is so, and the warnings of a run."""
    if metrics[figure]["method"] == "too_few_groups":
        typer.echo(
            f"note: only {metrics['n_groups']} groups: too few for intervals, the report has the value per group"
        )
    for warning in warnings:
        typer.echo(f"note: {warning}")


def exit_with_failures(failures: Sequence[tuple[str, str]], where: str) -> None:
    """List failures on stderr and end with exit code 3 when there are any."""
    if not failures:
        return
    for path, error in failures[:_SHOWN]:
        print(f"cannot read {path}: {error}", file=sys.stderr)
    if len(failures) > _SHOWN:
        print(f"... and {len(failures) - _SHOWN} more", file=sys.stderr)
    images = "1 image" if len(failures) == 1 else f"{len(failures):,} images"
    print(f"done, but {images} could not be read; {where}", file=sys.stderr)
    raise typer.Exit(LISTED_FAILURES)
