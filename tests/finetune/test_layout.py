"""The layout of a trunk: its maps, its vector and its blocks, and whether these are a plain row."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.layout import as_nchw, probe  # noqa: E402


class Trunk(torch.nn.Module):  # type: ignore[misc]
    """Two convolutions with a norm, in a row or with a path around the second."""

    num_features = 6

    def __init__(self, around: bool) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 6, 3, stride=2)
        self.norm = torch.nn.BatchNorm2d(6)
        self.act = torch.nn.ReLU()
        self.body = torch.nn.Conv2d(6, 6, 3, padding=1)
        self.around = around

    def forward_features(self, x: Any) -> Any:
        x = self.act(self.norm(self.stem(x)))
        return self.body(x) + x if self.around else self.body(x)

    def forward_head(self, x: Any, pre_logits: bool) -> Any:
        return x.mean(dim=(2, 3))


@pytest.mark.parametrize("around", [False, True])
def test_norms_belong_to_the_layer_before_and_a_path_around_is_no_row(around: bool) -> None:
    trunk = Trunk(around).train()
    found = probe(trunk, 17)
    assert (found.n_features, found.n_channels, found.kind, found.pools) == (6, 6, "nchw", True)
    assert [name for name, _ in found.blocks] == ["stem", "body"]
    assert found.sequential is not around
    assert trunk.training
    assert not trunk.norm.num_batches_tracked


def test_tokens_form_a_square_without_those_in_front() -> None:
    tokens = torch.arange(2 * 10 * 4).reshape(2, 10, 4)
    trunk = type("Prefixed", (), {"num_prefix_tokens": 1})
    maps = as_nchw(tokens, "tokens", trunk)
    assert maps.shape == (2, 4, 3, 3)
    assert maps[0, :, 0, 1].tolist() == tokens[0, 2].tolist()
    assert as_nchw(torch.zeros(2, 5, 6, 7), "nhwc", trunk).shape == (2, 7, 5, 6)
