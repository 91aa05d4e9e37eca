"""How fast the app is, against bounds that follow from Azure's limits. `python -m benchmarks`."""
