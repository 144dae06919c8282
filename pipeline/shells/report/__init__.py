"""The report: one page with charts over what a replay wrote."""
