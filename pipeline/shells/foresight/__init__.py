"""A borrower explained: what every rule says at the close of a day, and what would change it."""
