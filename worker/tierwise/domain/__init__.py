"""Pure thought: no clock, network, files or settings. Time and randomness come in as arguments."""
