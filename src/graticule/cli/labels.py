"""graticule labels verify | export | import | blind"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import (
    LISTED_FAILURES,
    ProgressBars,
    exit_with_failures,
    figure_text,
    print_json,
    print_table,
)
from graticule.options import RootOptions
from graticule.regress.options import TargetOptions

HELP = "The record of labels: verify it, export it, import into it, score a blind test."

Labels = Annotated[
    str,
    typer.Option(
        "--labels", metavar="URL", help="labels.db, sqlite:///FILE or postgresql+pg8000://USER@HOST/DATABASE."
    ),
]


def verify(
    labels: Annotated[
        str, typer.Option("--labels", metavar="URL", help="A label store, or an exported *-events.parquet.")
    ],
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="HASH",
            help="Head noted earlier: HASH, NUMBER:HASH or an export's *-head.json; without one the tail is unproven.",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Recompute the chain of events and name the first that was edited, removed, inserted or reordered."""
    from graticule.jobs.labels import verify_labels

    result = verify_labels(labels, head=head)
    if json:
        print_json(result)
    else:
        _print_verification(result)
    if not result["sound"]:
        raise typer.Exit(LISTED_FAILURES)


def _print_verification(result: dict[str, Any]) -> None:
    events = "1 event is" if result["n_events"] == 1 else f"{result['n_events']:,} events are"
    if result["problem"] is None:
        typer.echo(f"sound: {events} as they were written")
        typer.echo(f"tail: {result['tail']}")
    else:
        typer.echo(f"NOT SOUND: {result['problem']}")
        typer.echo(f"{events} sound among themselves, from the first on")
    typer.echo(f"head: {result['head']['seq']}:{result['head']['hash']}")
    if result["missing_guards"]:
        typer.echo(
            "NOT GUARDED: triggers against changes are missing or altered: " + ", ".join(result["missing_guards"])
        )
    if result["foreign_rules"]:
        typer.echo(
            "NOT OURS: the database holds more than our triggers, which may alter or hide events: "
            + ", ".join(result["foreign_rules"])
        )


@options.grouped
def export(
    labels: Labels,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Manifest to write, .csv or .parquet; others stand beside it.")
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DATA", help="Put the labels into this data set and keep its other columns."),
    ] = None,
    files: RootOptions,
    min_people: Annotated[
        int, typer.Option("--min-people", metavar="N", help="Persons who must agree on an image.")
    ] = 1,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", metavar="X", help="Numbers up to this far apart agree; their mean is written."),
    ] = 0.0,
    sound_part: Annotated[
        bool, typer.Option("--sound-part", help="Of a broken chain, export what stands before the first bad event.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Write agreed labels as a manifest for `train`; doubtful, novel, open ones and the whole record in other files."""
    from graticule.jobs.labels import export_labels

    result = export_labels(
        labels,
        out,
        data=data,
        root=files.root,
        min_people=min_people,
        tolerance=tolerance,
        sound_part=sound_part,
    )
    failures = result.pop("failures")
    if json:
        print_json(result)
    else:
        kind = "labels" if result["target"] is None else f"numbers of {result['target']}"
        typer.echo(
            f"{result['n_labels']:,} {kind} in {out}; apart from them {result['n_doubtful']:,} doubtful, "
            f"{result['n_novel']:,} novel, {result['n_open']:,} without agreement"
        )
        if result["n_bulk"]:
            typer.echo(f"note: {result['n_bulk']:,} labels were accepted in bulk, see column bulk")
        typer.echo(f"head: {result['head']['seq']}:{result['head']['hash']}")
        typer.echo("note: keep the head elsewhere; only with it can be shown later that nothing was cut off")
    exit_with_failures(failures, "their labels are those of DATA")
    if not result["chain"]["sound"]:
        typer.echo(f"done, but the chain is broken: {result['chain']['problem']}", err=True)
        raise typer.Exit(LISTED_FAILURES)


@options.grouped
def import_table(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="CSV or Parquet: path, label (or --target)[, user, sampling_prob].")
    ],
    labels: Labels,
    *,
    numbers: TargetOptions,
    files: RootOptions,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Who said so, in rows without a user; default: you.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Stands in the record with each label.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Take labels from a table into the record; the same row is taken in once."""
    from graticule.jobs.labels_import import import_labels
    from graticule.regress.target import target_named

    numbers.check()
    target = target_named(numbers)
    with ProgressBars() as progress:
        result = import_labels(
            labels, table, root=files.root, user=user, reason=reason, target=target, reporter=progress
        )
    failures = result.pop("failures")
    if json:
        print_json(result)
    else:
        kind = "labels" if target is None else "numbers"
        typer.echo(
            f"{result['n_stored']:,} {kind} stored in {result['labels']}, {result['n_unchanged']:,} stood already"
        )
        if result["n_known"]:
            typer.echo(
                f"note: {result['n_known']:,} were imported before and changed since; they were left as they are"
            )
        if result["n_unlabelled"]:
            typer.echo(f"note: {result['n_unlabelled']:,} rows have no label")
        typer.echo(f"head: {result['head']['seq']}:{result['head']['hash']}")
    exit_with_failures(failures, "they are not in the record")


def blind(
    labels: Labels,
    *,
    truth: Annotated[
        Path, typer.Option("--truth", metavar="FILE", help="What each image is: blind-truth.csv beside the test.")
    ],
    json: options.Json = False,
) -> None:
    """Score a blind test of generated images: how many each reader told from real ones."""
    from graticule.jobs.labels_blind import score_blind_record

    result = score_blind_record(labels, truth)
    if json:
        print_json(result)
        return
    rows = [(row["reader"], row) for row in result["readers"]]
    shown = [
        (name, row["n"], *(figure_text(row[key]) for key in _SHARES), f"{row['n_same']} of {row['n_twice']}")
        for name, row in [*rows, *([("all", result["all"])] * (len(rows) > 1))]
    ]
    if shown:
        print_table(("reader", "images", "right (95 % interval)", "of generated", "of real", "same twice"), shown)
    for words in result["words"]:
        typer.echo(words)


_SHARES = ("share", "share_generated", "share_real")
COMMANDS: dict[str, Callable[..., None]] = {"verify": verify, "export": export, "import": import_table, "blind": blind}
