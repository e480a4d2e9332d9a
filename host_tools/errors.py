"""What a command may end with: one typed error, always with a sentence of advice."""

OK = 0
DOES_NOT_HOLD = 1
UNUSABLE = 2
INTERRUPTED = 130
READER_GONE = 141  # as a shell reports SIGPIPE


class ToolError(Exception):
    """State what is wrong and what to do about it; `code` is the exit code of the command."""

    def __init__(self, message, advice, code=UNUSABLE):
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code


def read_bytes(path, what):
    """Read a whole small file as bytes; an unreadable file is a ToolError that names it."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable(path, what, error) from error


def read_text(path, what):
    """Read a whole small text file; one that is unreadable or not UTF-8 is a ToolError that names it."""
    try:
        return read_bytes(path, what).decode()
    except UnicodeDecodeError as error:
        raise ToolError(f"{what} {path}: byte {error.start} is not UTF-8", "Is it the right file?") from error


def read_password(path):
    """Read a password that stands alone in a file, without its line end; None where no file is named."""
    return None if path is None else read_text(path, "password file").rstrip("\r\n")


def unreadable(path, what, error):
    """Make the ToolError for a file that the system refuses."""
    return ToolError(f"{what} {path}: {error.strerror or error}", "Check the path and that you may read it.")
