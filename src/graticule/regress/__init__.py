"""Features to numbers: targets, regressions, their choice, cross-validation and prediction."""
