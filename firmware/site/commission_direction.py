"""Direction, phase and role of every meter: the PCS alternates between two levels, each meter is compared with it."""

from firmware.core.types import BESS, GRID, LOAD, ROLE_NAMES
from firmware.site import commission_estimate as e
from firmware.site import commission_plan as p
from firmware.site.commission_bench import Abort

_FOLLOWS_PERMILLE = 250  # of the commanded swing, at least
_NEGATIVE_PERMILLE = 20  # of its rating: what a load or a generator may show below zero
_PHASES = 3


class Response:
    """What one meter showed, block by block: of its total and, where it has them, of its phases."""

    def __init__(self, role):
        self.role = role
        self.blocks = []
        self.phases = []  # three numbers a block
        self.sum = 0  # of its means, thousandths of a power unit
        self.count = 0

    def expected(self):
        """Return the response of a meter that is wired as it should be, permille."""
        return -1000 if self.role == GRID else 1000 if self.role == BESS else 0

    def found(self):
        """Return (response, half interval), permille, or None."""
        return e.response(self.blocks)

    def code(self):
        """Return what it means, of the total alone."""
        found = self.found()
        if found is None:
            return e.UNCERTAIN
        return e.judge(found, self.expected()) if self.expected() else e.judge_none(found)

    def phase_codes(self):
        """Return the code of each phase, or None where the meter does not tell, or not enough."""
        if len(self.phases) < 2 or not self.expected():
            return None
        return [e.judge(e.response([row[i] for row in self.phases]), self.expected(), True) for i in range(_PHASES)]


def run(bench, tell):
    """Carry the step out; a generator that returns {role: Response}."""
    step_pu = bench.pu(bench.plan.step_w)
    found = [Response(role) for role in bench.watched if role != BESS]
    for block in range(p.BLOCKS_MAX):
        tell.progress("block %d of %d to %d" % (block + 1, p.BLOCKS_MIN, p.BLOCKS_MAX), block * 1000 // p.BLOCKS_MAX)
        yield from _block(bench, block, bench.levels(step_pu), found)
        if block + 1 >= p.BLOCKS_MIN and not [True for row in found if row.code() == e.UNCERTAIN]:
            break
    yield from bench.go(0)
    results = {row.role: row for row in found}
    _judge(bench, tell, results)
    return results


def _block(bench, block, levels, found):
    """Go through one block of four levels and keep what each meter made of it."""
    low, high = levels
    roles = [row.role for row in found] + [BESS]
    means, phases = [], []
    for level in range(e.LEVELS):
        target_pu = high if e.sign(block, level) > 0 else low
        yield from bench.go(target_pu)
        yield from bench.follow(target_pu, (high - low) // 10)
        yield from bench.wait(p.SETTLE_MS)
        wide = {}
        means.append((yield from bench.means(p.HOLD_MS, roles, wide)))
        phases.append([wide.get(row.role) for row in found])
    did = e.contrast(block, [mean[BESS] for mean in means])
    if did is None:
        return
    if did < 2 * (high - low) * _FOLLOWS_PERMILLE:  # thousandths against units: permille
        raise Abort("PCS_NOT_FOLLOWING", "of a step of %d W it made %d W"
                    % ((high - low) * bench.unit_w, did * bench.unit_w // 2000))
    for i, row in enumerate(found):
        _keep(row, block, did, [mean[row.role] for mean in means], [phase[i] for phase in phases], bench.unit_w)


def _keep(row, block, did, means, phases, unit_w):
    showed = e.contrast(block, means)
    if showed is None:
        return
    row.blocks.append(e.permille(showed, did))
    row.sum += sum(means)
    row.count += e.LEVELS
    if None in phases:
        return
    # Each phase carries a third of the PCS's power.
    row.phases.append([e.permille(3000 * e.contrast(block, [phase[i] for phase in phases]), did * unit_w)
                       for i in range(_PHASES)])


def _judge(bench, tell, results):
    """Report one line a meter, and what follows from all of them together."""
    grid = results.get(GRID)
    impostor = _impostor(results)
    for role in sorted(results):
        row = results[role]
        code, note = _explain(row, role in (GRID, impostor) and impostor is not None)
        if code == e.OK and not row.expected():
            code, note = _plausible(bench, row)
        tell.direction(role, row, code, note)
    if impostor is None and grid is not None:
        code = grid.code()
        if code in (e.OK, e.RATIO, e.REVERSED):
            bench.grid_signs = (-1,) if code == e.REVERSED else (1,)


def _impostor(results):
    """Return the role whose meter stands where the grid's should be, or None: it sees -1 and the grid's sees 0."""
    grid = results.get(GRID)
    if grid is None or grid.found() is None or e.judge_none(grid.found()) != e.OK:
        return None
    for role in results:
        found = results[role].found()
        if role != GRID and found is not None and abs(abs(found[0]) - 1000) + found[1] < 300:
            return role
    return None


def _explain(row, swapped):
    if swapped:
        return "ROLE_SWAPPED", "the meters of %s and grid have changed places"
    code = row.code()
    phases = row.phase_codes()
    if code == e.OK or phases is None:
        return ("SEES_BESS" if code == e.RATIO and not row.expected() else code), ""
    note = ", ".join("L%d %s" % (i + 1, phases[i]) for i in range(_PHASES) if phases[i] != e.OK)
    for worse in (e.WRONG_PHASE, e.REVERSED):
        if worse in phases:
            return (e.ONE_REVERSED if worse == e.REVERSED and phases.count(worse) < _PHASES else worse), note
    return code, note


def _plausible(bench, row):
    """A load or a generator that shows less than nothing is turned round: no step can tell, its sign can."""
    if row.count:
        mean_w = row.sum * bench.unit_w // (1000 * row.count)
        rated_w = bench.config["ratings"][ROLE_NAMES[row.role] + "_w"]
        if mean_w * 1000 < -_NEGATIVE_PERMILLE * rated_w:
            return e.REVERSED, "it shows %d W, and a %s is never below zero" % (
                mean_w, "load" if row.role == LOAD else "plant")
    return e.OK, ""
