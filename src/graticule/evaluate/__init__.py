"""Scores to figures with intervals: metrics, ranking, bootstrap, and the summary of a run."""
