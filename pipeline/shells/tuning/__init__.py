"""One number of a rule swept over history: what each value would catch, how early, and at how much work."""
