"""The sandbox's second face: a Salesforce-shaped org over REST, Composite, Bulk 2.0 and OAuth, in memory.

As strict as the facts that are known of the real one; where they are not known, the stricter reading.
"""
