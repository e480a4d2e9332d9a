"""The house's rules, read off the files: import rule, who may touch the machine, sizes, the top level."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {"core", "hal", "drivers", "site", "control", "ledger", "log", "uplink"}
TOP = {"firmware", "host_tools", "tests", "boards", "Makefile", "README.md", "pyproject.toml", "LICENSE",
       "CHANGELOG.md"}
NOT_KEPT = {"build", "__pycache__"}
MACHINE = {"machine", "time", "os", "socket"}
FACTS = {"board", "build_info"}
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error")


def _python_files(*folders):
    found = []
    for folder in folders:
        found += [path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts]
    return sorted(found)


FIRMWARE = _python_files("firmware")
EVERYWHERE = _python_files("firmware", "host_tools", "boards", "tests")
C_FILES = sorted((ROOT / "boards").rglob("*.[ch]"))


def _parse(path):
    return ast.parse(path.read_text())


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _layer(path):
    parts = path.relative_to(ROOT / "firmware").parts
    return parts[0] if len(parts) > 1 else None


def _imports(tree):
    """Return (module, line) of every import; a relative one stands as ".name"."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "firmware":
                found += [(f"firmware.{alias.name}", node.lineno) for alias in node.names]
            else:
                found.append((module, node.lineno))
    return found


def _wrong_import(layer, module):
    """Return what is wrong with a firmware layer importing a module, or None."""
    parts = module.split(".")
    if parts[0] in ("host_tools", "tests") or module.startswith("."):
        return "firmware imports firmware, by its full name"
    if parts[0] in MACHINE and layer != "hal":
        return "only hal touches the machine"
    if layer is None:
        return None
    if parts[0] in FACTS and layer != "hal":
        return "only main.py, wiring.py and hal read the board's facts"
    if parts[0] == "firmware" and (len(parts) < 2 or parts[1] not in (layer, "core")):
        return f"{layer} imports core and itself only"
    return None


@pytest.mark.parametrize("path", FIRMWARE, ids=_name)
def test_import_rule(path):
    layer = _layer(path)
    assert layer is None or layer in LAYERS
    judged = [(line, module, _wrong_import(layer, module)) for module, line in _imports(_parse(path))]
    assert [row for row in judged if row[2]] == []


@pytest.mark.parametrize("layer, module, allowed", (
    ("control", "firmware.core.fixed", True), ("control", "firmware.control.limits", True),
    ("control", "firmware.site.config", False), ("core", "firmware.hal.open", False),
    ("control", "time", False), ("hal", "time", True), ("site", "json", True), ("ledger", "board", False),
    (None, "firmware.hal.open", True), (None, "board", True), (None, "time", False),
    ("log", "host_tools.errors", False), ("log", ".record", False),
))
def test_import_rule_judges(layer, module, allowed):
    assert (_wrong_import(layer, module) is None) == allowed


def test_main_and_wiring_alone_see_two_layers():
    assert {path.name for path in FIRMWARE if _layer(path) is None} <= {"__init__.py", "main.py", "wiring.py"}


def _runtime_branches(tree):
    """Return the lines on which a file handles a missing module or asks which Python it runs on."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            if caught & {"ImportError", "ModuleNotFoundError"}:
                found.append(node.lineno)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.platform", "sys.implementation"):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", [path for path in FIRMWARE if _layer(path) != "hal"], ids=_name)
def test_no_runtime_branch_outside_hal(path):
    assert _runtime_branches(_parse(path)) == []


def test_runtime_branches_are_seen():
    code = "import sys\ntry:\n    import x\nexcept (OSError, ImportError):\n    pass\nprint(sys.platform)"
    assert sorted(_runtime_branches(ast.parse(code))) == [4, 6]


@pytest.mark.parametrize("path", [path for path in FIRMWARE if path.name == "__init__.py"], ids=_name)
def test_init_is_one_docstring(path):
    body = _parse(path).body
    assert len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value.value, str)


def _functions(tree):
    """Return (name, lines) of every function, what it makes of closures in it.

    A listing for the assembler has an instruction a line and cannot be divided: it has the size of its file to go by.
    """
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [(node.name, node.end_lineno - node.lineno + 1) for node in ast.walk(tree)
            if isinstance(node, kinds) and "micropython.asm_thumb" not in map(ast.unparse, node.decorator_list)]


@pytest.mark.parametrize("path", EVERYWHERE + C_FILES, ids=_name)
def test_size_and_finish(path):
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    assert [mark for mark in UNFINISHED if mark in text] == []
    if path.suffix == ".py":
        assert [(name, lines) for name, lines in _functions(ast.parse(text)) if lines > MAX_FUNCTION_LINES] == []


def test_top_level():
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert names - NOT_KEPT <= TOP
