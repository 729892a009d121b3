"""graticule doctor"""

from dataclasses import asdict

import typer

from graticule.cli import options
from graticule.cli.console import print_json, print_table


def command(json: options.Json = False) -> None:
    """Check this installation: versions, weights, speed, cache, and what goes out."""
    from graticule.jobs.doctor import doctor

    findings = doctor()
    if json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        rows = [("ok" if f.ok else "LOOK", f.check, f.found + (f"; {f.remedy}" if f.remedy else "")) for f in findings]
        print_table(("", "check", "found"), rows)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(2)
