"""The path of a lead, one file a step. Steps take ports and plain values; they open nothing themselves."""
