"""The review as a local web page."""
