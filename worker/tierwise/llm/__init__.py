"""The chain of models: prompt, call, answer, cascade.

Models answer closed questions and quote; they never emit a score. Only `client.py` and `offline.py` know litellm, and
only when a model is called: importing this package costs nothing and touches no network.
"""
