"""Filters of lists: `key` or `key=value`, several behind commas, all of which must hold.

Source: azureml-core 1.61, Webservice.list and Model.list.
"""

from collections.abc import Mapping


def has_all(labels: Mapping[str, str], wanted: str) -> bool:
    """Whether tags or properties have all that is wanted."""
    return all(_has(labels, each) for each in wanted.split(",") if each)


def _has(labels: Mapping[str, str], wanted: str) -> bool:
    name, sign, value = wanted.partition("=")
    return name in labels and (not sign or labels[name] == value)
