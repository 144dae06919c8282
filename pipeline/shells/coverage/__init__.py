"""What of published lists of early-warning signs a shelf covers: as a table, JSON or a page."""
