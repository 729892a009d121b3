"""Features to scores: classifiers, their search, cross-validation, calibration, prediction."""
