"""The embedded engine: one process, one SQLite file, nothing that was acknowledged is ever lost."""
