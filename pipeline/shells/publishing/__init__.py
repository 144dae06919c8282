"""Shelves that are published: put in force by two persons, and taken up by what runs."""
