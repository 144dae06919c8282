"""Real data that ships with the project, each set with its licence in ATTRIBUTION.md."""

from pathlib import Path

TAIWAN_CARDS = Path(__file__).parent / "taiwan_cards_1000.csv.gz"
