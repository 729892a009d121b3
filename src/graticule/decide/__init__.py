"""Scores to decisions: evidence, acceptance, sets, novelty, specimens."""
