from __future__ import annotations

import random

import pytest
from publicsuffixlist import PublicSuffixList

from tierwise_sandbox.leads import firms


@pytest.mark.parametrize("code", ["us", "de", "fr", "jp", "br"])
def test_a_firm_has_a_registrable_domain_on_a_reserved_ending(code: str) -> None:
    rng, suffixes = random.Random(code), PublicSuffixList()
    for _ in range(50):
        firm = firms.firm(rng, code, bands=(0, 6))
        assert firm.domain.endswith(".example")
        assert suffixes.privatesuffix(firm.domain) == firm.domain
        assert firm.domain.isascii()
        assert firm.employees >= 1
        assert firm.orders >= 20


def test_bands_are_kept() -> None:
    rng = random.Random(1)
    assert {firms.firm(rng, "us", bands=(2, 2)).employees in range(51, 201) for _ in range(100)} == {True}


def test_sizes_and_volumes_are_written_in_many_ways() -> None:
    rng = random.Random(1)
    sizes = {firms.size_text(rng, 1_250) for _ in range(200)}
    assert {"1001-5000", "1,250", "1.250", "1001+", "1250"} <= sizes
    volumes = {firms.volume_text(rng, 3_000) for _ in range(200)}
    assert {"3k-6k", "about 3000 orders", "3.000", "3,000", "3k"} <= volumes
