"""Where the portal's leads come from: a seeded generator that is messy on purpose, or a file.

All people and companies are made up; company addresses are on `.example`, telephone numbers are ranges that
numbering authorities keep for fiction where there are some.
"""
