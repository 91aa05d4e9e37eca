"""A Functions host for local runs and tests: HTTP and timers of the v2 model, without Core Tools.

It drives the `azure.functions.FunctionApp` object that Azure itself indexes. Never deployed.
"""
