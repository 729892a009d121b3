"""graticule predict RUN IMAGES --out DIR"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars, exit_with_failures, print_json, print_table


@dataclass(frozen=True)
class Deciding:
    """What is accepted, sent to review or rejected; fields of `graticule.decide.judge.DecisionOptions`."""

    target_accuracy: Annotated[
        float, typer.Option("--target-accuracy", metavar="F", help="Accuracy to keep among accepted images.")
    ] = 0.99
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="F", help="Confidence that the target is kept.")
    ] = 0.95
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Keep the target among the images accepted as each class.")
    ] = False
    prevalence: Annotated[
        Path | None,
        typer.Option(
            "--prevalence",
            metavar="FILE",
            help="CSV with columns class and share: the mix of the images to come, where it is not that of training.",
        ),
    ] = None
    coverage: Annotated[
        float, typer.Option("--coverage", metavar="F", help="How often the set of classes holds the true one.")
    ] = 0.95
    novelty_alpha: Annotated[
        float, typer.Option("--novelty-alpha", metavar="F", help="Share of usual images that may be rejected as novel.")
    ] = 0.01
    novelty_fdr: Annotated[
        bool,
        typer.Option(
            "--novelty-fdr", help="Bound the share of usual images among the rejected instead (Benjamini-Hochberg)."
        ),
    ] = False


@options.grouped
def command(
    run: options.Run,
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder, image, or list of paths (.txt, .csv).")],
    out: options.Out,
    deciding: Deciding,
    workers: options.Workers = None,
    batch_size: options.BatchSize = 8,
    csv: Annotated[bool, typer.Option("--csv", help="Also write predictions.csv for spreadsheets.")] = False,
    any_depth: options.AnyDepth = False,
    json: options.Json = False,
) -> None:
    """Classify new images and decide what to do with each; one row per file in Parquet."""
    from graticule.decide.judge import DecisionOptions
    from graticule.jobs.predict import predict

    with ProgressBars() as progress:
        summary = predict(
            run,
            images,
            out,
            decisions=DecisionOptions(**asdict(deciding)),
            workers=workers,
            batch_size=batch_size,
            write_csv=csv,
            any_depth=any_depth,
            reporter=progress,
        )
    failures = summary.pop("failures")
    if json:
        print_json(summary)
    else:
        _print_summary(summary)
        for warning in summary["warnings"]:
            typer.echo(f"note: {warning}")
        typer.echo(f"written to {out}")
    exit_with_failures(failures, f"see {out / 'failures.csv'}")


def _print_summary(summary: dict[str, Any]) -> None:
    typer.echo(f"{summary['n']:,} images in {summary['wall_time_s']:.1f} s")
    print_table(("class", "images"), summary["classes"].items())
    typer.echo("")
    decisions = {name: "-" if count is None else count for name, count in summary["decisions"].items()}
    print_table(("decision", "images"), decisions.items())
    acceptance, errors = summary["acceptance"], summary["expected_errors"]
    typer.echo(f"acceptance: {acceptance['status']}; {acceptance['words']}")
    if errors is not None:
        typer.echo(
            f"errors to expect among the accepted: {errors['value']:.1f} ({errors['low']:.1f} to {errors['high']:.1f})"
        )
