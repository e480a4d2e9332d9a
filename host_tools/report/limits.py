"""What the data behind a run cannot say, in plain words."""

_SIMULATED = (
    "The site is simulated: load and wind are measured series where the inputs say so, the battery, the meters and "
    "the wires between them are models.",
)
ALWAYS = (
    "The records prove what the board signed. They do not prove that a meter was wired to what its name says, that a "
    "factor is right, or that the same energy was not sold as a certificate.",
    "The origin of what was stored is reckoned from the signed flows, as a mixture; the board signs energy and carbon "
    "of the storage only.",
)
_BY_INPUT = (
    ("gpt3", "The training load is the measured power of 64 servers (512 GPUs) times 206.5: a worst case of about "
             "106,000 GPUs in step, not a measured site of this size. Nothing here is an MLPerf result."),
    ("gpt3", "It is power of the servers only: no cooling, no UPS. Nothing faster than 2 s was measured."),
    ("alibaba", "The daily load has the shape of a cluster's mean CPU use; its power is a stated model of that, not "
                "a measurement."),
    ("borne", "Wind was measured as means of 10 minutes. Everything finer is a straight line between them."),
    ("carbon", "Emission factors are hourly and of another year than load and wind; they are aligned by the "
               "calendar only."),
)
_TWO_PLACES = ("Load and wind were neither measured at one place nor at one time. How well they fit together here "
               "says nothing about a real pair.")
_FAST_METER = ("The meter profile generic_fast (a transducer that refreshes within 10 ms) is hypothetical; figures "
               "that rest on it hold for such a meter only.")
SYNTHETIC = "At least one input is made up. No figure of this run says anything about a real site."


def limits_of(run):
    """Return the sentences that hold for a run."""
    files = " ".join(str(entry.get("file", "")).rsplit("/", 1)[-1].lower() for entry in run.summary.get("inputs", ()))
    roles = {entry.get("role") for entry in run.summary.get("inputs", ())}
    found = [SYNTHETIC] if run.synthetic else []
    found += [sentence for word, sentence in _BY_INPUT if word in files]
    if {"load", "wind"} <= roles:
        found.append(_TWO_PLACES)
    if "generic_fast" in run.profiles():
        found.append(_FAST_METER)
    return found + (list(_SIMULATED) if run.summary.get("run") else []) + list(ALWAYS)
