"""The firmware's sources as boards get them: without the names that only CPython or the compiler needs.

Each name of a module takes 8 bytes of a board's heap, for as long as the module is loaded. Those of `const`, of
`micropython`'s decorators and of viper's pointers are read by the compiler alone; a whole number out of another module
can stand where it is used, and one that a module keeps to itself can be const(). Nothing else changes, no line moves:
a traceback names the line of the source.
"""

import ast
import io
import sys
import tokenize
from pathlib import Path

from host_tools.toolchain import paths

_COMPILED_AWAY = {"micropython": ("const",), "firmware.core.types": ("ptr8", "ptr16", "ptr32"),
                  "firmware.control.wind_model": ("ptr16",)}


class Module:
    """One source file; `numbers` are the whole numbers that it gives a name once and for all, `taken` its imports."""

    def __init__(self, path):
        self.path = path
        self.name = ".".join(path.relative_to(paths.ROOT).with_suffix("").parts).removesuffix(".__init__")
        self.text = path.read_text()
        self.tree = ast.parse(self.text)
        self.bound = _bound(self.tree)
        self.objects = _viper_names(self.tree)  # objects there, which a number in their place would not be
        self.numbers = {}
        self.taken = {}  # name: (module, name there)
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                self._number(node)
            elif isinstance(node, ast.ImportFrom):
                self.taken.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})

    def _number(self, node):
        name = node.targets[0]
        if not isinstance(name, ast.Name) or not name.id.isupper() or self.bound.count(name.id) != 1:
            return
        try:
            value = _whole(node.value, self.numbers)
        except ValueError:
            return
        self.numbers[name.id] = value


def _bound(tree):
    """Return every name that is given a value anywhere in a module, as often as it is."""
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    found += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    found += [name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names]
    return found


def _viper_names(tree):
    """Return the names that viper functions look up."""
    vipers = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
              and any(getattr(mark, "attr", "") == "viper" for mark in node.decorator_list)]
    return {node.id for viper in vipers for node in ast.walk(viper) if isinstance(node, ast.Name)}


_SUMS = {ast.Add: int.__add__, ast.Sub: int.__sub__, ast.Mult: int.__mul__, ast.FloorDiv: int.__floordiv__,
         ast.LShift: int.__lshift__, ast.RShift: int.__rshift__, ast.BitOr: int.__or__, ast.BitAnd: int.__and__,
         ast.Pow: int.__pow__}


def _whole(node, numbers):
    """Return the value of an expression of whole numbers; raises ValueError for any other."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name) and node.id in numbers:
        return numbers[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_whole(node.operand, numbers)
    if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
        return _SUMS[type(node.op)](_whole(node.left, numbers), _whole(node.right, numbers))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "const":
        return _whole(node.args[0], numbers)
    raise ValueError(node)


class Lean:
    """All modules of a firmware, to be written out lean."""

    def __init__(self, root=paths.FIRMWARE):
        self.modules = {module.name: module for module in map(Module, sorted(Path(root).rglob("*.py")))}
        trees = [module.tree for module in self.modules.values()]
        # What is looked up by its name in some module: there it stays, whichever module that is.
        self._looked_up = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        self._wanted = {pair for module in self.modules.values() for node in ast.walk(module.tree)
                        if isinstance(node, ast.ImportFrom) for pair in [(node.module, a.name) for a in node.names]}

    def text(self, module):
        """Return a module's source, lean."""
        numbers = {name: value for name, value in self._numbers(module).items() if name not in module.bound}
        places, idle = self._members(module)
        lines = _put_in(module.text.splitlines(keepends=True), places)
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom):
                self._cut(node, numbers.keys() | idle, lines)
            elif isinstance(node, ast.Import) and [alias.name for alias in node.names] == ["micropython"]:
                if not self._uses_micropython(module):
                    _blank(lines, node)
            elif isinstance(node, ast.Assign):
                self._hide(module, node, lines)
        return _replaced("".join(lines), numbers)

    def _numbers(self, module):
        """Return {name: value} of the whole numbers that a module takes from others, and nobody takes from it."""
        found = {}
        for name, (source, original) in module.taken.items():
            source = self.modules.get(source)
            if source and original in source.numbers and not self._stays(module, name):
                found[name] = source.numbers[original]
        return found

    def _stays(self, module, name):
        """Return whether a name of a module is needed as an object, there or by others."""
        return name in self._looked_up or name in module.objects or (module.name, name) in self._wanted

    def _members(self, module):
        """Return where numbers of other modules are looked up as theirs, and the modules that are needed no more."""
        there = {name: self.modules.get(f"{source}.{original}") for name, (source, original) in module.taken.items()}
        unsure = module.objects.union(module.bound)
        there = {name: found for name, found in there.items() if found and name not in unsure}
        uses = [node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id in there]
        places = []
        for node in ast.walk(module.tree):
            name = getattr(getattr(node, "value", None), "id", "") if isinstance(node, ast.Attribute) else ""
            value = there[name].numbers.get(node.attr) if name in there else None
            if value is not None and node.lineno == node.end_lineno:
                places.append((node.lineno, node.col_offset, node.end_col_offset, value))
                uses.remove(name)
        return places, {name for name in there if name not in uses and not self._stays(module, name)}

    def _cut(self, node, needless, lines):
        """Leave out of an import what is not needed at run time."""
        away = _COMPILED_AWAY.get(node.module, ())
        kept = [alias for alias in node.names
                if alias.name not in away and (alias.asname or alias.name) not in needless]
        if len(kept) == len(node.names):
            return
        _blank(lines, node)
        if kept:
            names = ", ".join(alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in kept)
            lines[node.lineno - 1] = f"from {node.module} import {names}\n"

    def _hide(self, module, node, lines):
        """Make a whole number that a module keeps to itself a constant of the compiler."""
        name = getattr(node.targets[0], "id", "")
        plain = name.startswith("_") and name in module.numbers and not isinstance(node.value, ast.Call)
        if plain and not self._stays(module, name):
            end = lines[node.end_lineno - 1][node.value.end_col_offset:]
            _blank(lines, node)
            lines[node.lineno - 1] = f"{name} = const({module.numbers[name]}){end}"

    def _uses_micropython(self, module):
        """Return whether a module needs `micropython` for more than its decorators."""
        names = [node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)
                 and isinstance(node.value, ast.Name) and node.value.id == "micropython"]
        return not set(names) <= {"viper", "native", "asm_thumb"}

    def write(self, folder):
        """Write all of it below `folder`, which is made anew; files that say the same keep their time."""
        kept = set()
        for module in self.modules.values():
            target = Path(folder) / module.path.relative_to(paths.ROOT)
            kept.add(target)
            text = self.text(module)
            if not target.is_file() or target.read_text() != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        for path in Path(folder).rglob("*.py"):
            if path not in kept:
                path.unlink()
        return sorted(kept)


def _blank(lines, node):
    for i in range(node.lineno - 1, node.end_lineno):
        lines[i] = "\n"


def _replaced(text, numbers):
    """Return source with these names, wherever they are looked up, replaced by their values."""
    places = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string in numbers and before != ".":
            places.append((*token.start, token.end[1], numbers[token.string]))
        before = token.string
    return "".join(_put_in(text.splitlines(keepends=True), places))


def _put_in(lines, places):
    """Return lines with values in place of what stands at (row, begin, end, value)."""
    for row, begin, end, value in sorted(places, reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:begin] + (str(value) if value >= 0 else f"({value})") + line[end:]
    return lines


if __name__ == "__main__":
    print(f"{len(Lean().write(sys.argv[1]))} modules are in {sys.argv[1]}")
