"""The command line: one verb per file; this file gathers them and turns errors into exit codes.

Exit codes: 0 done, 1 a defect of the program, 2 the user can mend it (one message), 3 done with failures listed.
"""

import errno
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from graticule.cli import (
    audit,
    backbones,
    compare,
    count,
    demo,
    doctor,
    embed,
    evaluate,
    explain,
    label_errors,
    labels,
    orientation,
    phantom,
    predict,
    report,
    review,
    study,
    synthesize,
    train,
)
from graticule.cli.console import showing
from graticule.cli.interrupt import INTERRUPTED, NOTHING_FINISHED, say_after_interrupt, say_interrupted
from graticule.errors import GraticuleError

USER_ERROR = 2
_USER_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)

Command = Callable[..., None]


def _guarded(command: Command) -> Command:
    """The command with an answer to Ctrl-C, which typer would not give; what it wrote is out when it ends."""

    @functools.wraps(command)
    def guarded(*args: object, **kwargs: object) -> None:
        say_after_interrupt(NOTHING_FINISHED)
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            say_interrupted()
            raise typer.Exit(INTERRUPTED) from None

    return guarded


app = typer.Typer(
    name="graticule",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a folder of labelled scientific images to a classifier its user can defend.",
)
for module in (
    demo,
    phantom,
    embed,
    audit,
    train,
    evaluate,
    compare,
    predict,
    count,
    orientation,
    explain,
    label_errors,
    review,
    report,
    study,
    synthesize,
    backbones,
    doctor,
):
    app.command(module.__name__.rpartition(".")[2].replace("_", "-"))(_guarded(module.command))

record = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=labels.HELP)
for name, command in labels.COMMANDS.items():
    record.command(name)(_guarded(command))
app.add_typer(record, name="labels")


def _show_version(asked: bool) -> None:
    if asked:
        from graticule import __version__

        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; see `graticule.cli.start`."""
    with showing():
        try:
            app(prog_name="graticule")
        except GraticuleError as error:
            _fail(str(error))
        except OSError as error:
            if error.errno not in _USER_ERRNOS:
                raise
            _fail(f"{_place(error)}: {error.strerror}")


def _place(error: OSError) -> str:
    """The file that an error is about; the system does not say it where a file was open already."""
    if error.filename:
        return str(error.filename)
    out = next((word for before, word in zip(sys.argv, sys.argv[1:], strict=False) if before == "--out"), None)
    return f"what is written for --out {out}" if out else f"the folder {Path.cwd()}, the cache or a temporary folder"


def _fail(message: str) -> None:
    print(f"graticule: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)
