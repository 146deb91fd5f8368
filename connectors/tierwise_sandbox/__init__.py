"""A CRM and two language models that are not there: HTTP servers in their shape, for demo, tests and benches.

A tool, not a connector: it imports nothing of tierwise, so that a mistake of ours is not made twice, once on
each side of the wire. It must never answer more kindly than the real system is known to.
"""
