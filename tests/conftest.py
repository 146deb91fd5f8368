"""Fixtures for all tests. They live in tests/fixtures, which only pytest has on its path."""

from __future__ import annotations

pytest_plugins = (
    "tierwise_fixtures.alone",
    "tierwise_fixtures.environment",
    "tierwise_fixtures.valkey",
    "tierwise_fixtures.postgres",
    "tierwise_fixtures.portal",
    "tierwise_fixtures.org",
    "tierwise_fixtures.sandbox",
    "tierwise_fixtures.stage",
    "tierwise_fixtures.waiting",
)
