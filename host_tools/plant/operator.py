"""The operator at the board's console: rows of the events file whose device is `board` become lines of commands.

  override_w  W [for SECONDS]      a BESS set point, discharge +, for 900 s where nothing else is said
  import_w, export_w  W [for SECONDS]     a cap below the site's
  mode  auto, manual or dry_run [for SECONDS]
  end  override_w, import_w, export_w or mode     ends one before its time
  acknowledge                      an input whose policy is to stop may count again
  change_keys                      the board makes new keys for its records and checkpoints, once a run: in virtual time
                                   its only entropy is the entropy.bin that is put into the run folder
"""

from host_tools.plant.series import bad_line

_SECONDS = 900
_MODES = ("auto", "manual", "dry_run")
_WATTS = ("override_w", "import_w", "export_w")
_WORDS = ("acknowledge", "change_keys")  # a row of these has no value
_EVENTS = (*_WATTS, "mode", "end", *_WORDS)
_REASON = "events file"


def command(path, line, event, value):
    """Return the line that the board is sent for one row. Raises ToolError naming the row."""
    if event not in _EVENTS:
        raise bad_line(path, line, f"event is {event!r}", ", ".join(_EVENTS))
    if event in _WORDS:
        return event
    if event == "end":
        if value not in (*_WATTS, "mode"):
            raise bad_line(path, line, f"value is {value!r}", ", ".join((*_WATTS, "mode")))
        return f"end {value}"
    what, _, seconds = value.partition(" for ")
    seconds = seconds.strip() or str(_SECONDS)
    good = what in _MODES if event == "mode" else what.lstrip("-").isdigit()
    if not good or not seconds.isdigit():
        raise bad_line(path, line, f"value is {value!r}", "a value and, if wanted, `for SECONDS`")
    return f"{event} {what} {seconds} {_REASON}"


class Operator:
    """Keeps the lines that the board has not been sent yet."""

    def __init__(self):
        self._lines = []

    def say(self, line):
        """Send a line with the next answer to the board."""
        self._lines.append(line)

    def news(self):
        """Return one line as it goes to the board, its length first, or b""."""
        if not self._lines:
            return b""
        text = self._lines.pop(0).encode()
        return bytes((len(text),)) + text
