"""graticule review RUN_OR_PREDICTIONS --labels URL"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graticule.cli import options
from graticule.cli.console import ProgressBars
from graticule.cli.interrupt import say_after_interrupt
from graticule.jobs.options import ReviewOptions

if TYPE_CHECKING:
    from graticule.review.sharing import Sharing

Source = Annotated[
    Path,
    typer.Argument(
        metavar="RUN_OR_PREDICTIONS", help="Folder of `predict`, a run of `train`, or with --target a table."
    ),
]
Labels = Annotated[
    str,
    typer.Option(
        metavar="URL", help="Label store: a file such as labels.db, or postgresql+pg8000://USER@HOST/DATABASE."
    ),
]
User = Annotated[str | None, typer.Option(metavar="NAME", help="Your name on the record; by default your login name.")]
Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Address to listen on; where others can reach it, GRATICULE_PASSWORD or a made password is asked.",
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="HOST", help="Name under which a proxy hands the page on; may be repeated."),
]
Proxies = Annotated[
    list[str] | None,
    typer.Option("--proxy", metavar="ADDRESS", help="Proxy whose X-Forwarded-Proto and -For count; may be repeated."),
]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="By default 8642, or any free one.")]


@options.grouped
def command(
    source: Source,
    labels: Labels,
    *,
    user: User = None,
    chosen: ReviewOptions,
    host: Host = "127.0.0.1",
    port: Port = None,
    name: Names = None,
    proxy: Proxies = None,
) -> None:
    """Open a local page to review what the model would not decide, and what looks wrong or new."""
    from graticule.jobs.review import open_review
    from graticule.record.people import check_person, login_name
    from graticule.review.sharing import Sharing, listen_for
    from graticule.review.web.app import serve_page

    person = login_name() if user is None else user
    check_person(person)
    given = Sharing(host, port, tuple(name or ()), tuple(proxy or ()), os.environ.get("GRATICULE_PASSWORD") or None)
    given.check()
    sharing = given.guarded()
    with ProgressBars() as progress:
        review = open_review(source, labels, chosen, progress)
    with review:
        listening = listen_for(sharing)
        app = review.app(listening, person)
        _tell(sharing, made=given.password is None)
        say_after_interrupt("every decision that the page showed as saved is kept")
        typer.echo(listening.url)
        sys.stdout.flush()
        serve_page(app, listening, review.pictures)


def _tell(sharing: Sharing, *, made: bool) -> None:
    """What whoever shares the review must know."""
    if sharing.password is None:
        return
    if made:
        print(f"password, made for this start and shown once: {sharing.password}", file=sys.stderr)
    if sharing.names:
        print(f"others open https://{sharing.names[0]}/login through your proxy", file=sys.stderr)
    if not sharing.proxies:
        print(
            "what others send is not encrypted on the way here; behind a proxy with encryption, name it with --proxy",
            file=sys.stderr,
        )
