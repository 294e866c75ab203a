"""Progressive delivery: when the weights of a service move on, move back, or wait."""
