"""What a report carries on its face."""

from __future__ import annotations

from typing import Any

from tests.report.run.conftest import PageOf


def test_openings_of_the_held_out_part_are_counted(write_run: Any, page_of: PageOf) -> None:
    def change(run: dict[str, Any], metrics: dict[str, Any]) -> None:
        opening = {"utc": "2026-01-02T03:04:05Z", "verb": "train", "model_sha256": "aa"}
        run["test_openings"] = [opening, opening | {"verb": "evaluate"}]

    page = page_of(write_run(test=True, change=change))
    assert "opened 2 times" in page.text
    assert "Held-out part opened again" in page.text
