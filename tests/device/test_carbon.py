"""The carbon book: exact closure on cases worked by hand."""

from firmware.ledger.carbon import Pool, book, split

FACTORS = ([0, 0, 900_000, 50_000, 60_000], [11_000, 45_000, 1_100_000, 80_000, 90_000])


def test_split_is_exact_and_gives_ties_to_the_lowest():
    assert split(10, [1, 1, 1, 0]) == [4, 3, 3, 0]
    assert split(7, [0, 0, 0, 0]) == [7, 0, 0, 0]
    assert split(1, [5, 5, 0, 0]) == [1, 0, 0, 0]
    assert sum(split(999_999_999_999, [3, 7, 11, 1])) == 999_999_999_999


def test_wind_charged_keeps_its_carbon_and_grows_dearer_by_the_loss():
    pool = Pool(0, 0, 0)
    done = book(pool, [1000, 0, 0, 0, 0], [0, 1000, 0, 0], FACTORS, 880_000)
    assert pool.state() == [880, 0, 11_000_000, 0]
    assert done["loss_wh"] == 120
    done = book(pool, [0, 0, 0, 0, 880], [880, 0, 0, 0], FACTORS, 880_000)
    assert pool.state() == [0, 0, 0, 0]
    assert done["carbon"][1] == [11_000_000, 0, 0, 0, 0, 11_000_000]
    assert done["load_mix_wh"] == [0, 0, 0, 0, 880]


def test_fuel_counts_instead_of_the_energy_it_gave():
    pool = Pool(0, 0, 0)
    done = book(pool, [0, 0, 1000, 0, 0], [700, 300, 0, 0], FACTORS, 880_000, None, (269_200_000, 332_000_001))
    assert done["carbon"][0] == [188_440_000, 80_760_000, 0, 0, 0, 0]
    assert done["carbon"][1][:2] == [232_400_001, 99_600_000]
    assert pool.state() == [264, 80_760_000, 99_600_000, 0]
    done = book(pool, [0, 0, 0, 0, 0], [0, 0, 0, 0], FACTORS, 880_000, None, (7, 9))
    assert done["carbon"][0][0] == 7 and done["carbon"][1][0] == 9  # it idled: nothing else can bear it


def test_underflow_takes_the_conservative_factor():
    pool = Pool(100, 0, 1_000_000)
    done = book(pool, [0, 0, 0, 0, 300], [300, 0, 0, 0], FACTORS, 880_000)
    assert done["underflow"]
    assert done["carbon"][0][0] == 200 * 60_000
    assert done["carbon"][1][0] == 1_000_000 + 200 * 90_000
    assert done["carbon"][1][5] == 1_000_000


def test_true_up_to_nothing_writes_the_carbon_off():
    pool = Pool(5, 7, 9)
    done = book(pool, [0, 0, 0, 0, 0], [0, 0, 0, 0], FACTORS, 880_000, 0)
    assert done["trueup_wh"] == -5 and pool.state() == [0, 0, 0, 0]
    assert done["carbon"][0][4] == 7 and done["carbon"][1][4] == 9


def test_remainder_of_the_efficiency_is_carried():
    pool = Pool(0, 0, 0)
    for _ in range(8):
        book(pool, [1, 0, 0, 0, 0], [0, 1, 0, 0], FACTORS, 875_000)
    assert pool.state()[0] == 7 and pool.state()[3] == 0


def test_invariants_hold_over_a_thousand_quarter_hours():
    pool = Pool(1000, 50_000_000, 60_000_000)
    seed = 1
    for _ in range(1000):
        sources = []
        for _ in range(5):
            seed = seed * 1_103_515_245 + 12_345 & 0x7FFFFFFF
            sources.append(seed % 100_000 if seed & 0x10000 else 0)
        total = sum(sources)
        charge = total // 3
        uses = [total - charge - total // 7, charge, total // 7, 0]
        before = pool.state()
        done = book(pool, sources, uses, FACTORS, 883_600)
        after = pool.state()
        from_pool = min(sources[4], before[0])
        assert after[0] == before[0] + charge - done["loss_wh"] - from_pool
        for track in range(2):
            carbon = done["carbon"][track]
            lumps = [sources[k] * FACTORS[track][k] for k in range(4)]
            bess = carbon[5] + (sources[4] - from_pool) * FACTORS[track][4]
            assert sum(carbon[:4]) == sum(lumps) + bess
            assert after[1 + track] == before[1 + track] + carbon[1] - carbon[5] - carbon[4]
