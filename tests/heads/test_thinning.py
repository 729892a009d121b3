import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.heads import thinning


def thin(y: NDArray[np.int64], group: NDArray[np.object_] | None = None) -> NDArray[np.int64]:
    return thinning.thinned(y, group, least_groups=3, least_per_class=6, seed=0)


def test_many_samples_are_thinned_by_class_or_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "SEARCH_LIMIT", 60)
    y = np.repeat([0, 1, 2], [300, 60, 8])
    rows = thin(y)
    assert np.bincount(y[rows]).tolist() == [20, 20, 8]
    assert (np.diff(rows) > 0).all()
    y = np.arange(400) % 2
    group = np.array([f"g{i // 20}" for i in range(400)], dtype=object)
    rows = thin(y, group)
    assert 40 <= len(rows) <= 80
    assert set(group[rows]).isdisjoint(group[np.setdiff1d(np.arange(400), rows)])
    np.testing.assert_array_equal(thin(y[:50]), np.arange(50))
