"""Redeploys: snapshot, gate, change, platform says ready, golden requests pass, or all of it undone.

Data flows one way: order (what is asked for) -> gate (may it be) -> flow (what comes next, pure) ->
mover (the platform does it) -> proof (golden requests) -> record (what was seen, step by step).
"""
