"""Tierwise: lead qualification beside a CRM.

The path of a lead:

    tasks.tick -> pipeline.poll        a closed window of changes, stored with the moved cursor
               -> pipeline.map         record -> canonical lead with provenance, or a schema review item
               -> pipeline.decide      gates and contradictions (rules), assessment (models), score, route
               -> pipeline.record      decision, hash chain, outbox and review item in one transaction
               -> pipeline.write_back  the outbox in the CRM's own batch size
               -> the CRM's fields     advisory, read back by the next poll
"""

__version__ = "0.1.0"
