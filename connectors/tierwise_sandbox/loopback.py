"""Whether a request comes from this machine: the control doors open to no other."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request


def is_local(request: Request) -> bool:
    """From a loopback address, and from no web page of another site."""
    host = request.client.host if request.client else ""
    foreign = request.headers.get("origin") not in {None, f"http://{request.headers.get('host')}"}
    return not foreign and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "testclient"  # the name that Starlette's in-process client gives itself
