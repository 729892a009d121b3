"""The record of labels: events that cannot be changed in silence, without a page."""
