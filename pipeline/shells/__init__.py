"""What feeds the core: files, tests, and the command line."""
