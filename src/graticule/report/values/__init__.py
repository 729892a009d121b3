"""The page of a run or an evaluation whose model predicts a number."""
