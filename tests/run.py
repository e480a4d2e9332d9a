"""The one runner of the portable tests: run.py FILE... on CPython, on MicroPython's unix port and on a board.

Start it in the project's folder. On a board the folder is mounted and `main([...])` is called.
"""

import gc
import sys


def _find_modules():
    """Put what is frozen first, then the project, then what only a host lacks."""
    front = [".frozen"] if ".frozen" in sys.path else []
    rest = [folder for folder in sys.path if folder not in (".frozen", "")]
    hosts = ["boards/UNIX", ".cache/boards/UNIX", ".cache/umqtt"]
    if sys.implementation.name == "cpython":
        hosts.append("host_tools/compat")
    sys.path[:] = front + [""] + rest + hosts


def _print_error(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error, sys.stdout)
    else:
        import traceback

        traceback.print_exception(error, file=sys.stdout)


def _run_one(name, function):
    try:
        function()
    except Exception as error:
        print("FAIL", name)
        _print_error(error)
        return False
    print("ok", name)
    return True


def _load(path):
    name = path[:-3].replace("/", ".")
    __import__(name)
    return sys.modules[name]


def _run_file(path):
    """Run every test_* function of a file, sorted by name; return (passed, failed)."""
    passed = 0
    failed = 0
    try:
        module = _load(path)
    except Exception as error:
        print("FAIL", path)
        _print_error(error)
        return 0, 1
    for name in sorted(dir(module)):
        if name.startswith("test_"):
            if _run_one(path + "::" + name, getattr(module, name)):
                passed += 1
            else:
                failed += 1
    return passed, failed


def _forget(known):
    """Drop the modules a file brought, so that the next one has the whole heap of a small board."""
    for name in list(sys.modules):
        if name not in known:
            del sys.modules[name]
    gc.enable()
    gc.collect()


def main(paths):
    """Run the files one after the other; return the number of failures."""
    _find_modules()
    passed = 0
    failed = 0
    for path in paths:
        known = list(sys.modules)
        counts = _run_file(path)
        passed += counts[0]
        failed += counts[1]
        _forget(known)
    print("%d passed, %d failed" % (passed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
