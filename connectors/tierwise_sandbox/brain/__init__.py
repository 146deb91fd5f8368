"""What answers in place of a language model: word overlap and a small lexicon. It understands nothing.

Deterministic by model name and prompt, so that demos, tests and benches can be repeated; no measure of any
provider's quality.
"""
