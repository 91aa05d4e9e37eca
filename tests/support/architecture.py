"""Who imports what, read from the source: every import counts, wherever in a file it stands."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

TRIGGERS = (
    "dashboard_http",
    "scoring_http",
    "scoring_queue",
    "scoring_timer",
    "shutdown_http",
    "shutdown_queue",
    "shutdown_timer",
)
AZURE_SDK = ("azure", "azureml", "msal", "msrest", "msrestazure")
SDKS = (
    *AZURE_SDK,
    *("aiohttp", "requests", "httpx", "urllib3", "httptools", "aiohappyeyeballs"),
    *("opentelemetry", "cryptography"),
)
NEVER_DEPLOYED = ("azure_emulator", "local_host", "tests", "benchmarks")
MAY_READ_THE_ENVIRONMENT = ("shared/bootstrap.py", "local_host/__main__.py")
ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name in full; `on_import`: it is loaded as soon as the module is."""

    name: str
    line: int
    on_import: bool


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the modules below some paths must never import."""

    below: Sequence[str]
    never: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the modules that index functions may import while the app is being indexed."""

    below: Sequence[str]
    only: Sequence[str]


RULES = (
    Rule(below=("function_app.py", *TRIGGERS), never=NEVER_DEPLOYED),
    Rule(below=("shared",), never=("azure.functions", *NEVER_DEPLOYED, *TRIGGERS, "function_app")),
    Rule(
        below=("shared/compute",),
        never=(*SDKS, "os", "time", "shared.scoring", "shared.clients"),
    ),
    Rule(
        below=("shared/scoring",),
        never=(*SDKS, "os", "time", "shared.compute", "shared.clients"),
    ),
    # They put compute and scoring together, from what was recorded and from their models.
    Rule(
        below=("shared/dashboard", "shared/openapi"),
        never=(*SDKS, "os", "time", "shared.clients"),
    ),
    Rule(
        below=(
            *("shared/compute", "shared/scoring", "shared/dashboard", "shared/openapi"),
            "shared/clients",
        ),
        never=("shared.settings", "shared.bootstrap"),
    ),
    Rule(
        below=("azure_emulator",),
        never=(*AZURE_SDK, "shared", *TRIGGERS, "function_app", "local_host", "tests"),
    ),
    Rule(
        below=("tests", "azure_emulator", "local_host", "shared"), never=("unittest.mock", "mock")
    ),
)
ENTRIES = (
    Entry(below=("function_app.py",), only=("azure.functions", "__future__", *TRIGGERS)),
    Entry(below=TRIGGERS, only=("azure.functions", "shared.bootstrap", "__future__", "typing")),
    Entry(
        below=("shared/bootstrap.py",),
        only=("__future__", "os", "typing", "functools", "contextlib", "collections"),
    ),
)


def violations(path: str, source: str) -> list[str]:
    """Say what a module at this path, relative to the repository, must not do."""
    tree = ast.parse(source, filename=path)
    found = [
        f"{path}:{each.line} imports {each.name}"
        for each in imports(tree, path)
        if _is_forbidden(path, each)
    ]
    return [*found, *_environment(path, tree), *_blueprints(path, tree)]


def imports(tree: ast.Module, path: str) -> Iterator[Import]:
    """Every import in a module, relative ones resolved, also by `import_module`."""
    for node, on_import in _walk(tree, on_import=True):
        for name in _names(node, path):
            yield Import(name=name, line=getattr(node, "lineno", 0), on_import=on_import)


def _is_forbidden(path: str, imported: Import) -> bool:
    if any(_lies(path, rule.below) and _is_in(imported.name, rule.never) for rule in RULES):
        return True
    return imported.on_import and any(
        _lies(path, entry.below) and not _is_in(imported.name, entry.only) for entry in ENTRIES
    )


def _lies(path: str, below: Sequence[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in below)


def _is_in(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _walk(node: ast.AST, *, on_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        now = on_import and not later and not _is_for_types(child)
        yield child, now
        yield from _walk(child, on_import=now)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _names(node: ast.AST, path: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = _resolved(node, path)
        return [f"{module}.{alias.name}" for alias in node.names]
    return _dynamic(node)


def _resolved(node: ast.ImportFrom, path: str) -> str:
    if not node.level:
        return node.module or ""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join([*parts[: len(parts) - node.level], *([node.module] if node.module else [])])


def _dynamic(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call) or not node.args:
        return []
    called = ast.unparse(node.func).rpartition(".")[2]
    target = node.args[0]
    if called in {"import_module", "__import__"} and isinstance(target, ast.Constant):
        return [str(target.value)]
    return []


def _environment(path: str, tree: ast.Module) -> Iterator[str]:
    if _lies(path, ("tests", "benchmarks", ".ci", *MAY_READ_THE_ENVIRONMENT)):
        return
    for node in ast.walk(tree):
        read = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os"
        if read and node.attr in ENVIRONMENT:  # type: ignore[attr-defined]  # read implies it
            yield f"{path}:{node.lineno} touches os.{node.attr}"  # type: ignore[attr-defined]  # ditto
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names} & ENVIRONMENT
            yield from (f"{path}:{node.lineno} touches os.{name}" for name in sorted(names))


def _blueprints(path: str, tree: ast.Module) -> Iterator[str]:
    """A function that is called like its blueprint's variable takes that name from it."""
    if not _lies(path, TRIGGERS):
        return
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    made = {
        ast.unparse(node.targets[0]) for node in assigned if "Blueprint" in ast.dump(node.value)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in made:
            yield f"{path}:{node.lineno} hides its blueprint {node.name}"
