"""Reversion of a SunSpec 704 control: what a set point becomes when nobody renews it in time."""

from host_tools.plant.agenda import Timer


class Reversion:
    """The timer behind the RvrtTms, RvrtRem and Rvrt points of one control of model 704."""

    def __init__(self, slave, agenda, name, pairs, changed):
        self._slave = slave
        self._agenda = agenda
        self._name = name
        self._pairs = pairs  # (point, its reversion value)
        self._changed = changed
        self._timer = Timer(agenda, self._expire)

    def restart(self, t_us):
        """Start the time anew: a point of the control was written."""
        seconds = self._slave.get(704, self._name + "RvrtTms")
        if seconds and self._slave.get(704, self._name + "Ena"):
            self._timer.start(t_us + seconds * 1_000_000)
        else:
            self._timer.stop()

    def show(self, t_us):
        """Bring the remaining seconds up to date, rounded up."""
        due_us = self._timer.due_us
        left_us = due_us - t_us if due_us is not None else 0
        self._slave.put(704, self._name + "RvrtRem", max(-(-left_us // 1_000_000), 0))

    def _expire(self):
        slave = self._slave
        for point, after in self._pairs:
            slave.put(704, point, slave.get(704, after))
        slave.put(704, self._name + "Ena", slave.get(704, self._name + "EnaRvrt"))
        self._changed(self._agenda.now_us)
