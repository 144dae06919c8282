"""The core: events to memory, measures, verdicts and decisions; no clock, network, log or randomness inside."""
