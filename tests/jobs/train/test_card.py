"""The model card: names from outside are text in it, not markup."""

from __future__ import annotations

from graticule.bundle_info import BundleInfo
from graticule.jobs.train.card import model_card

FIGURE = {"value": 0.5, "low": None, "high": None, "method": "wilson"}


def test_names_are_text_not_markup() -> None:
    classes = ["<script>alert(1)</script>", "a [link](http://x) | `code` *b*", "\u202egnp", "red_cell & co"]
    info = BundleInfo(
        graticule_version="1", classes=classes, backbone="<b>net</b>", weights_sha256="0" * 64, licence="MIT<br>",
        preprocessing={}, output="o", n_features=1, views=1, heads="h", data_sha256="0" * 64, n_training=4,
    )  # fmt: skip
    metrics = dict.fromkeys(
        ("accuracy", "balanced_accuracy", "macro_precision", "macro_sensitivity", "macro_f1", "roc_auc_macro"), FIGURE
    )
    text = model_card(info, {"part": "cv", "n": 4, **metrics}, {}, {"source": "<i>here</i>"})
    assert "<" not in text
    assert "\u202e" not in text
    assert "- &lt;script&gt;alert(1)&lt;/script&gt;: 0 images" in text
    assert "- a \\[link\\](http://x) \\| \\`code\\` \\*b\\*: 0 images" in text
    assert "- red_cell &amp; co: 0 images" in text
