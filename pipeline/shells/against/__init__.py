"""Two shelves over the same events: what changed in words, who is alerted otherwise, and what that costs and gains."""
