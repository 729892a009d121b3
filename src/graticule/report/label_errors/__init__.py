"""The page of probably wrong labels."""
