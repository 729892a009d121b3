"""The figures of predicted numbers as the page names them, and what each means."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedFigure:
    """A figure: its key in metrics.json, its name, its meaning, and whether it goes without the target's unit."""

    key: str
    name: str
    definition: str
    bare: bool = False


ROWS = (
    NamedFigure("mae", "Mean absolute error", "Mean distance between predicted and true value."),
    NamedFigure(
        "rmse", "Root mean square error", "Like the mean absolute error, but large errors count more than small ones."
    ),
    NamedFigure(
        "r2",
        "R2",
        "Share of the squared distance to the mean of the training images that the model explains: 1 is perfect, 0 no "
        "better than always saying that mean, below 0 worse.",
        bare=True,
    ),
    NamedFigure("bias", "Bias", "Mean of predicted less true: above 0, predictions are too high on average."),
    NamedFigure(
        "slope",
        "Slope of predicted on true",
        "How much the prediction moves for a step of 1 in the true value. Below 1, predictions are drawn to the middle "
        "(regression to the mean): low values are predicted too high, high ones too low. Common to all regressions; "
        "not corrected.",
        bare=True,
    ),
    NamedFigure(
        "spearman", "Rank correlation", "Spearman’s: whether images are in the right order, 1 for perfectly.", bare=True
    ),
    NamedFigure(
        "agreement_low",
        "Limits of agreement, lower",
        "95 % of errors lie between the two limits of agreement: bias less and plus 1.96 standard deviations of the "
        "error (Bland and Altman 1986).",
    ),
    NamedFigure("agreement_high", "Limits of agreement, upper", "See the lower limit."),
    NamedFigure("relative", "Mean relative error", "Mean of the distance over the true value.", bare=True),
)
CARDS = tuple(row for row in ROWS if row.key in ("mae", "rmse", "r2", "bias", "slope"))
DEFINITIONS = (
    *((row.name, row.definition) for row in ROWS),
    (
        "Limits of a prediction",
        "A range that holds the true value of a new image with the chance stated. It comes from the errors of images "
        "that the model had not seen, every group weighing alike (conformal prediction).",
    ),
    (
        "Simpler method",
        "What can be said without the model, learnt on the same folds: what a model must beat.",
    ),
)
