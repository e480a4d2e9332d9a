"""On the emulated board, in virtual time: every set point comes soon after the load's sampling instant."""

from host_tools.bench import bus_measures


def test_every_set_point_leaves_within_a_quarter_more_than_bytes_and_silences_take():
    figures = bus_measures.MEASURES[0].run()
    assert figures["bus_latency_over_wire_ratio"].value >= 1, figures
    assert figures["bus_latency_worst_over_wire_ratio"].value <= 1.25, figures
    assert figures["bus_load_age_cycles"].value <= 1, figures
