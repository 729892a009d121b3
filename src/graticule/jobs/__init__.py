"""One file a verb: read, call, write."""
