"""graticule backbones"""

import typer

from graticule.cli import options
from graticule.cli.console import print_json, print_table


def command(json: options.Json = False) -> None:
    """List the networks that are available here without a download."""
    from graticule.networks.catalogue import backbones

    rows = backbones()
    if json:
        print_json({"backbones": rows})
        return
    print_table(
        ("name", "available", "input", "features", "licence", "package"),
        [
            (
                row["name"] + (" (default)" if row["default"] else ""),
                "yes" if row["available"] else "pip install",
                f"{row['input_size']} px",
                row["n_features"],
                row["licence"],
                row["package"],
            )
            for row in rows
        ],
    )
    if not all(row["available"] for row in rows):
        typer.echo("all of them: pip install 'graticule[backbones]'")
