"""Runs the heavy commands of the set-up: output to a log, progress with seconds, errors with advice."""

import os
import subprocess
import sys
import time

from host_tools.toolchain import paths

_QUIET_S = 2
_BEAT_S = 15
_TAIL_LINES = 12


class SetupError(Exception):
    """Says in one sentence what is wrong with this machine or network, and what to do."""


def say(text):
    """Print one line of progress at once."""
    print("set-up: " + text, file=sys.stderr, flush=True)


def run(what, command, log, cwd=None, env=None):
    """Run a command, its output into `.cache/log/LOG.log`; raise SetupError with that path if it fails."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log_path = paths.LOGS / (log + ".log")
    start = time.monotonic()
    full_env = dict(os.environ, **(env or {}))
    say(what)
    with open(log_path, "wb") as out:
        try:
            process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=full_env,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            raise SetupError(f"{command[0]} is not on this machine; install it and start again") from None
        code = _wait(process, what, start)
    elapsed_s = time.monotonic() - start
    if code:
        raise SetupError(f"{what}: failed with exit code {code}; see {log_path}, which ends:\n"
                         + _tail(log_path))
    if elapsed_s > _QUIET_S:
        say(f"{what}: done in {elapsed_s:.0f} s")


def _wait(process, what, start):
    while True:
        try:
            return process.wait(timeout=_BEAT_S)
        except subprocess.TimeoutExpired:
            say(f"{what}: {time.monotonic() - start:.0f} s so far")
        except BaseException:
            process.kill()
            process.wait()
            raise


def _tail(path):
    lines = path.read_text(errors="replace").rstrip().splitlines()
    return "\n".join("    " + line for line in lines[-_TAIL_LINES:])


def capture(command, **options):
    """Return a command's standard output as text, or None if it is missing or fails."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
                              **options)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
