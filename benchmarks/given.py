"""A classifier that is given its scores, for packages that ask for an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose input is its output."""

    def __init__(self, k: int = 2) -> None:
        self.k, self.classes_ = k, np.arange(k)

    def fit(self, x: Any, y: Any) -> Any:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, x: Any) -> Any:
        """As given."""
        return x

    def predict(self, x: Any) -> Any:
        """The best."""
        return x.argmax(axis=1)
