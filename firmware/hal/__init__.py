"""Hal: the only layer that imports machine, time, os or socket. One Platform class a machine, all alike.

A platform offers: ms() and us(), monotonic, 30 bits, wrapping; idle(us); serial(index, baud, parity, stop_bits);
entropy(n); utc(); stop_requested(); feed_watchdog(); collect(); report(kind, text); root, the folder of the run.
"""
