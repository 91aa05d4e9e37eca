"""Apps that cannot be indexed: source, and what the local host says about it."""

from collections.abc import Mapping
from pathlib import Path

APP = "import azure.functions as func\napp = func.FunctionApp()\n"

# By what is wrong: the text of function_app.py, and the complaint.
BROKEN_APPS: Mapping[str, tuple[str, str]] = {
    "fails at import": ("import nothing_like_it", "ModuleNotFoundError at import"),
    "has no app": ("import azure.functions", "must define one FunctionApp, found 0"),
    "has two apps": (
        f"{APP}another = func.FunctionApp()",
        "must define one FunctionApp, found 2",
    ),
    "misnames a parameter": (
        f"{APP}@app.route('a')\ndef a(request): ...",
        "a: parameters ['request'] do not match the bindings ['req']",
    ),
    "promises no HTTP answer": (
        f"{APP}@app.route('a')\ndef a(req) -> dict: ...",
        "a: an HTTP function cannot return <class 'dict'>",
    ),
    "takes another trigger's request": (
        f"{APP}@app.route('a')\ndef a(req: func.TimerRequest): ...",
        "a: httpTrigger does not fit req",
    ),
    "annotates the context wrongly": (
        f"{APP}@app.route('a')\ndef a(req, context: dict): ...",
        "a: context must be azure.functions.Context",
    ),
    "hides an annotation's name": (
        f"{APP}@app.route('a')\ndef a(req: 'Hidden'): ...",
        "a: name 'Hidden' is not defined",
    ),
    "repeats a name": (
        f"{APP}@app.route('a')\ndef a(req): ...\n@app.route('b')\ndef a(req): ...",
        "does not have a unique function name",
    ),
    "has a function without a trigger": (
        f"{APP}@app.function_name('a')\ndef a(): ...",
        "does not have a trigger",
    ),
}


def write_app(folder: Path, source: str) -> None:
    (folder / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    (folder / "function_app.py").write_text(source, encoding="utf-8")
