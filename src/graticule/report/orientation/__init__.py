"""The page of directions."""
