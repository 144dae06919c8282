"""Decisions sent out: each webhook in order, at least once, signed, for as long as it takes."""
