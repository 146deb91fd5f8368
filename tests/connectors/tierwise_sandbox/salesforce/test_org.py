from __future__ import annotations

from typing import Any

from tierwise_sandbox.salesforce.org import API_USER, REPS, Org


def test_a_session_lasts_as_long_as_the_switch_says(org: Org) -> None:
    token = org.new_session()
    org.switches.session_calls = 2
    assert [org.use_session(token) for _ in range(4)] == [True, True, False, False]
    assert not org.use_session("made up")
    again = org.new_session()
    org.expire_sessions()
    assert not org.use_session(again)


def test_a_storm_refuses_good_sessions_for_a_while(org: Org) -> None:
    token = org.new_session()
    org.switches.session_storm = 2
    assert [org.use_session(token) for _ in range(3)] == [False, False, True]


def test_the_days_allowance_is_counted_and_told_in_both_forms(org: Org) -> None:
    org.switches.daily_requests = 2
    assert [org.use_request() for _ in range(3)] == [True, True, False]
    assert org.usage() == "api-usage=2/2"
    org.switches.per_app_usage = True
    assert org.usage() == "api-usage=2/2; per-app-api-usage=2/2(appName=Tierwise)"


def test_counts_begin_again_after_a_reset(org: Org) -> None:
    org.use_request()
    org.count("query")
    assert (org.stats()["api_calls"], org.stats()["calls"], org.stats()["leads"]) == (1, {"query": 1}, 12)
    org.reset_stats()
    assert (org.stats()["api_calls"], org.stats()["calls"]) == (0, {})


def test_the_org_has_its_own_clock_its_users_and_its_rule(org: Org, clock: Any) -> None:
    org.switches.clock_skew_seconds = -90
    assert org.time() == clock() - 90
    user = org.records.get(API_USER)
    assert user is not None
    assert user.values["Username"] == org.username
    assert len({org.next_owner() for _ in range(20)}) == len(REPS)


def test_credentials_are_those_of_this_run(org: Org) -> None:
    held = org.credentials()
    assert set(held) == {"url", "token_url", "client_id", "client_secret", "username", "private_key"}
    assert held["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert held["client_secret"] != Org(key=org.key).client_secret
