"""People decide on images: queue, desk, agreement, progress."""
