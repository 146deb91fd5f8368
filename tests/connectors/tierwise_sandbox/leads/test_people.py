from __future__ import annotations

import random

import pytest
from email_validator import validate_email

from tierwise_sandbox.leads import people


@pytest.mark.parametrize("code", sorted(people.LOCALES))
def test_addresses_of_every_locale_are_addresses(code: str) -> None:
    rng = random.Random(code)
    for _ in range(40):
        who = people.person(rng, code)
        assert who.first in who.locale.first_names
        for address in (people.mailbox(rng, who, "acme.example"), people.free_mailbox(rng, who)):
            validate_email(address, check_deliverability=False)
        assert "#" not in people.phone(rng, who)


def test_slugs_are_plain() -> None:
    assert people.slug("Größmann & Söhne") == "groessmann-soehne"
    assert people.slug("Éditions Noël") == "editions-noel"
    assert people.slug("小野寺") == "onodera"


def test_every_japanese_name_has_a_spelling() -> None:
    locale = people.LOCALES["jp"]
    assert all(people.slug(name) for name in (*locale.first_names, *locale.last_names))
