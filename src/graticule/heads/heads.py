"""Classifier heads on frozen features: scikit-learn classifiers on scaled features, and what is kept of them.

features ── scaling (`heads.scaling`) ── logistic regression | SVM
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, LinearSVC

from graticule.arrays import Float32Array
from graticule.evaluate.metrics import balanced_accuracy, confusion_matrix
from graticule.heads.scaling import Scalings, ShrunkWhitening
from graticule.heads.scoring import Head, LinearHead, RbfHead, label_losses, softmax

KERNEL_LIMIT = 5000


@dataclass(frozen=True)
class HeadSettings:
    """What distinguishes one head from another before it is fitted.

    Attributes
    ----------
    kind : str
        "logistic", "linear_svm" or "rbf_svm".
    C : float
        Inverse regularisation strength, > 0.
    shrinkage : float
        In (0, 1]: 1 standardises only, smaller values whiten more.
    gamma : float
        Width of the RBF kernel in units of 1 / (d * mean variance of the projected features).
    balanced : bool
        Whether classes weigh the same whatever their counts.
    parts : tuple of str
        The parts of the feature vector that it sees, see `graticule.heads.scaling.FeatureLayout`.
    """

    kind: str
    C: float
    shrinkage: float = 1.0
    gamma: float = 0.25
    balanced: bool = False
    parts: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Settings that matter for this kind, for the report."""
        fields = asdict(self)
        if self.kind != "rbf_svm":
            del fields["gamma"]
        del fields["kind"]
        return fields | {"parts": " + ".join(self.parts) or "all"}


def make_classifier(settings: HeadSettings, kernel_width: float = 1.0) -> Any:
    """The scikit-learn classifier of a head. `kernel_width` turns `settings.gamma` into scikit-learn's gamma."""
    weight = "balanced" if settings.balanced else None
    if settings.kind == "logistic":
        return LogisticRegression(C=settings.C, class_weight=weight, max_iter=500, tol=1e-3)
    if settings.kind == "linear_svm":
        return LinearSVC(C=settings.C, class_weight=weight, dual=False, max_iter=300, tol=1e-3)
    return SVC(C=settings.C, kernel="rbf", gamma=settings.gamma * kernel_width, class_weight=weight, cache_size=500)


def kernel_width(scaled: Float32Array) -> float:
    """1 / (d * mean variance) of scaled features, scikit-learn's "scale"."""
    return float(1.0 / (scaled.shape[1] * max(float(scaled.var(axis=0).mean()), 1e-12)))


def fit_head(
    scalings: Scalings, y: NDArray[np.int64], n_classes: int, settings: HeadSettings, temperature: float
) -> Head:
    """Fit a head on the rows of some scalings and fold it into the arrays that `scoring` applies.

    Parameters
    ----------
    scalings : Scalings
        The training rows with their features.
    y : int array, shape (n,)
        Class indices of the rows; every class of 0..n_classes-1 must occur.
    n_classes : int
    settings : HeadSettings
    temperature : float
        Multiplies the scores before the softmax, > 0.
    """
    layout = scalings.layout
    scaling = scalings.of(settings.parts)
    scaled = scaling.apply(scalings.features, scalings.rows)
    whitening = ShrunkWhitening(settings.shrinkage)
    scaled = whitening.fit(scaled, y).transform(scaled)
    width = kernel_width(scaled) if settings.kind == "rbf_svm" else 1.0
    classifier = make_classifier(settings, width).fit(scaled, y)
    whitener = whitening.matrix(scaled.shape[1])
    rooted = None if layout.rooted == layout.n_features else layout.rooted
    centre = scaling.full_centre()
    if settings.kind == "rbf_svm":
        coefficients, bias = pairwise_margins(classifier, n_classes)
        return RbfHead(
            centre.astype(np.float32),
            np.ascontiguousarray(scaling.folded(whitener.T).T, np.float32),
            np.asarray(scaled[classifier.support_], dtype=np.float32),
            coefficients.astype(np.float32),
            bias.astype(np.float32),
            settings.gamma * width,
            temperature,
            rooted,
        )
    weights, bias = linear_scores(classifier)
    folded = scaling.folded(weights @ whitener.T)
    return LinearHead(folded.astype(np.float32), (bias - folded @ centre).astype(np.float32), temperature, rooted)


def mean_of_linear(heads: Sequence[Head], temperature: float) -> LinearHead:
    """One linear head whose scores are the mean of the given linear heads' temperature-scaled scores.

    Raises
    ------
    TypeError
        When a head is not linear.
    """
    linear = [head for head in heads if isinstance(head, LinearHead)]
    if len(linear) != len(heads):
        raise TypeError("only linear heads have a mean that is one head")
    weights = np.mean([head.temperature * head.weights for head in linear], axis=0)
    bias = np.mean([head.temperature * head.bias for head in linear], axis=0)
    return LinearHead(weights.astype(np.float32), bias.astype(np.float32), temperature, linear[0].rooted)


def linear_scores(classifier: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (K, d) and bias (K,) of a linear classifier; two classes share the one margin symmetrically."""
    weights = np.asarray(classifier.coef_, dtype=np.float64)
    bias = np.asarray(classifier.intercept_, dtype=np.float64)
    if len(weights) == 1:
        return np.concatenate([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    return weights, bias


def pairwise_margins(classifier: SVC, n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients (m, K) and bias (K,) so that kernel @ coefficients + bias are a class's mean pairwise margins.

    libsvm trains one classifier per pair of classes; the mean of a class's margins against all others is linear in
    the kernel and, unlike votes, continuous.
    """
    dual = np.asarray(classifier.dual_coef_, dtype=np.float64)
    owner = np.repeat(np.arange(n_classes), classifier.n_support_)
    coefficients = np.zeros((len(owner), n_classes))
    bias = np.zeros(n_classes)
    # scikit-learn negates the two-class machine so that positive means the second class
    sign = -1.0 if n_classes == 2 else 1.0
    intercepts = iter(np.asarray(classifier.intercept_, dtype=np.float64))
    for i in range(n_classes):
        for j in range(i + 1, n_classes):
            pair = np.where(owner == i, dual[j - 1], np.where(owner == j, dual[i], 0.0)) * sign
            offset = next(intercepts) * sign
            coefficients[:, i] += pair
            coefficients[:, j] -= pair
            bias[i] += offset
            bias[j] -= offset
    return coefficients / (n_classes - 1), bias / (n_classes - 1)


def balanced_share_right(scores: NDArray[np.floating], y: NDArray[np.int64]) -> float:
    """Balanced accuracy of the highest of scores (n, K)."""
    confusion = confusion_matrix(y, scores.argmax(axis=1), scores.shape[1])
    return float(balanced_accuracy(confusion.astype(np.float64)))


def balanced_log_loss(scores: NDArray[np.floating], y: NDArray[np.int64], temperature: float) -> float:
    """Log loss (nats) of softmax(temperature * scores), each class weighing the same."""
    losses = label_losses(temperature * scores, y)
    counts = np.bincount(y, minlength=scores.shape[1])
    present = counts > 0
    return float((np.bincount(y, losses, minlength=scores.shape[1])[present] / counts[present]).mean())


def fit_temperature(scores: NDArray[np.floating], y: NDArray[np.int64]) -> float:
    """The temperature that minimises the log loss on held-out scores, each class weighing the same, within 0.02 to 50.

    One image more is thought to carry a wrong label, any with the same chance, as Platt ("Probabilistic outputs for
    support vector machines", 1999) smooths labels: else the scores of a small part without an error would be driven to
    certainty. Among thousands of images that changes nothing.

    This belongs to a head: it makes raw margins into scores of classes that count alike. Whether those scores can be
    believed as probabilities, with classes as common as they are, is settled later (`calibration_fit`).

    Source: Guo et al., "On calibration of modern neural networks" (2017); here as a factor, not a divisor.
    """
    n, n_classes = scores.shape
    wrong = 1 / (n + 2)
    targets = np.full((n, n_classes), wrong / max(n_classes - 1, 1))
    targets[np.arange(n), y] = 1 - wrong
    # each class the same weight, however many images it has
    targets /= np.bincount(y, minlength=n_classes)[y][:, None]

    def loss(log_temperature: float) -> float:
        log_p = np.log(np.maximum(softmax(np.exp(log_temperature) * scores), 1e-12))
        return float(-(targets * log_p).sum())

    bounds = (np.log(0.02), np.log(50.0))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3}).x))
