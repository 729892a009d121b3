"""Pages: drawing, tables and words that they share."""
