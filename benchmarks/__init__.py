"""What the engine costs: a workload, a naive version of the same step, and the figures as ratios within one run."""
