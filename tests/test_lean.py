"""What a board gets of the sources: the same program, line for line, without the names that only others need."""

import ast

import pytest

from host_tools.toolchain import lean, paths


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lean")
    lean.Lean().write(folder)
    return folder


@pytest.fixture
def firmware(tmp_path, monkeypatch):
    """Return what makes a small firmware of {name: source} lean, and gives {name: source}."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)

    def make(**sources):
        (tmp_path / "firmware").mkdir()
        for name, text in sources.items():
            (tmp_path / "firmware" / f"{name}.py").write_text(text)
        files = lean.Lean(tmp_path / "firmware").write(tmp_path / "out")
        return {path.stem: path.read_text() for path in files}

    return make


def test_every_module_is_there_and_no_line_moves(made):
    for source in paths.FIRMWARE.rglob("*.py"):
        text = (made / source.relative_to(paths.ROOT)).read_text()
        assert text.count("\n") == source.read_text().count("\n"), source
        before, after = (_places(ast.parse(code)) for code in (source.read_text(), text))
        assert before == after, source


def _places(tree):
    return [(node.name, node.lineno) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def test_no_name_is_used_that_is_not_there(made):
    for path in made.rglob("*.py"):
        tree = ast.parse(path.read_text())
        there = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
                 for alias in node.names}
        source = ast.parse((paths.ROOT / path.relative_to(made)).read_text())
        gone = {alias.asname or alias.name for node in source.body if isinstance(node, (ast.Import, ast.ImportFrom))
                for alias in node.names} - there
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert used & gone <= {"const", "micropython", "ptr8", "ptr16", "ptr32"}, path


def test_everything_that_another_module_takes_is_still_there(made):
    trees = {".".join(path.relative_to(made).with_suffix("").parts).removesuffix(".__init__"):
             ast.parse(path.read_text()) for path in made.rglob("*.py")}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in trees:
                for alias in node.names:
                    assert alias.name in _names(trees[node.module]) or f"{node.module}.{alias.name}" in trees


def _names(tree):
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def test_a_number_of_another_module_stands_where_it_is_used(firmware):
    text = firmware(types="LOAD = 1 << 3\nLESS = -2\n", user="from firmware.types import LESS, LOAD\nx = LOAD - LESS\n")
    assert text == {"types": "LOAD = 1 << 3\nLESS = -2\n", "user": "\nx = 8 - (-2)\n"}


def test_what_is_changed_later_looked_up_by_name_or_taken_on_stays(firmware):
    types = "A = 1\nB = 2\nC = 3\nA += 1\n"
    user = "from firmware.types import A, B, C\nx = A, B, C\n"
    taker = "from firmware import user\nfrom firmware.user import C\nprint(user.B, C)\n"
    text = firmware(types=types, user=user, taker=taker)
    assert text["types"] == types and text["user"] == user


def test_a_number_that_is_looked_up_in_its_module_is_too_and_the_module_is_not_needed_then(firmware):
    types = "A = 5\nb = []\n"
    text = firmware(types=types, user="from firmware import types\nx = types.A + 1\n",
                    other="from firmware import types\nx = types.A, types.b\n",
                    viper="from firmware import types\n@micropython.viper\ndef f():\n    return types.A\n")
    assert (text["types"], text["user"]) == (types, "\nx = 5 + 1\n")
    assert text["other"] == "from firmware import types\nx = 5, types.b\n"
    assert text["viper"].startswith("from firmware import types\n") and "types.A" in text["viper"]


def test_an_argument_of_the_same_name_is_left_alone(firmware):
    user = "from firmware.types import A\ndef f(A):\n    return A\n"
    assert firmware(types="A = 1\n", user=user)["user"] == user


def test_a_number_of_its_own_is_the_compilers(firmware):
    text = firmware(a="_X = 0x10 * 2  # why\n_Y = 1.5\n_Z = 7\n", b="from firmware.a import _Z\nprint(_Z)\n")
    assert text == {"a": "_X = const(32)  # why\n_Y = 1.5\n_Z = 7\n", "b": "\nprint(7)\n"}


def test_viper_keeps_its_objects(firmware):
    user = "\n@micropython.viper\ndef f(x):\n    return x >> A >> _B\n"
    text = firmware(types="A = 1\n", user="import micropython\nfrom firmware.types import A\n_B = 3\n" + user)
    assert text["user"] == "\nfrom firmware.types import A\n_B = 3\n" + user


def test_what_only_the_compiler_reads_goes(firmware):
    text = firmware(a="import micropython\nfrom micropython import const\n_X = const(1)\n",
                    b="import micropython\nmicropython.mem_info()\n")
    assert text == {"a": "\n\n_X = const(1)\n", "b": "import micropython\nmicropython.mem_info()\n"}
