"""Where hal puts what its machine does better than the plain steps of the control path; None where it has nothing.

Whoever owns the plain step asks here when it is wired up. A test on the emulated board holds each against that one.
"""

hear = None  # drivers.line.listener.hear
take_power = None  # drivers.meter.take_power, of a plain value; REFER, and nothing done, for any other
take_fast = None  # drivers.der.take_fast
judge = None  # site.doubt.judge, up to the first sample that is not ordinary: 1 where there is one
integrate = None  # ledger.energy.integrate
