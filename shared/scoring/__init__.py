"""R scoring services: what they are, how they are checked, what is thought of them and why.

Data flows one way: catalogue (which services) -> checks (probes with answers) -> verdict (one
word, with evidence) -> state (healthy or not, over rounds) -> record, telemetry, answers.
"""
