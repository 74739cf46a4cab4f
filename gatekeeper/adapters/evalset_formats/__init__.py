"""Evalsets of other tools: one format a file; `read(source, wanted)` collects its samples and all that has no match.

What is read is data: no script in it is run and nothing is fetched.
"""
