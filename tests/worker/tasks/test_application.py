"""Settings whose absence was seen to hang or to lose work."""

from __future__ import annotations

from tierwise import wiring
from tierwise.tasks import application


def test_no_setting_leaves_a_worker_hanging_on_a_dead_connection(parts: wiring.Wiring) -> None:
    options = application.app.conf.broker_transport_options
    assert options["socket_timeout"]
    assert options["socket_connect_timeout"]
    assert options["health_check_interval"]
    assert options["retry_on_timeout"] is False
    assert application.app.conf.task_acks_late
    assert application.app.conf.task_reject_on_worker_lost
    assert application.app.conf.accept_content == ["json"]
    assert application.app.conf.result_backend is None
