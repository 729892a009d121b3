"""Whether a classifier gains by generated images over what can be had without any."""
