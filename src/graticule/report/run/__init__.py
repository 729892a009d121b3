"""The page of a run or an evaluation."""
