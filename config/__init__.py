"""What a bank changes: settings, calendar, mappings."""
