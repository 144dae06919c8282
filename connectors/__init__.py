"""What stands between the engine and the systems around it."""
