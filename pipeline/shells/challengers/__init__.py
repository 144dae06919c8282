"""Challengers beside the rules that they challenge: what differs, who would be alerted otherwise, at what work."""
