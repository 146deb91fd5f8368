from __future__ import annotations

import dataclasses

from tierwise_sandbox.leads.elsewhere import TONGUES
from tierwise_sandbox.leads.people import LOCALES


def test_every_language_of_the_locales_can_be_written() -> None:
    assert {locale.language for locale in LOCALES.values()} == {"en", *TONGUES}


def test_every_tongue_has_every_kind_of_piece() -> None:
    for language, tongue in TONGUES.items():
        for kind, pieces in dataclasses.asdict(tongue).items():
            assert len(pieces) >= 2, f"{language}: {kind}"
            assert any(pieces), f"{language}: {kind}"
