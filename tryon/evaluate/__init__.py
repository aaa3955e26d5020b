"""The evaluate stage: predict the test rows, score them, write metrics and report."""
