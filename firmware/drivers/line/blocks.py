"""Which registers to read in one request: neighbours, while that is cheaper on the wire than another request.

Start-up only.
"""

_REQUEST_CHARS = 8 + 5  # a read's request, and its answer without the data


def request_us(bus, turnaround_us, gap_us):
    """Return what one more request costs on a bus, its registers not counted."""
    return _REQUEST_CHARS * bus.char_us + max(bus.silence_us, gap_us) + bus.silence_us + turnaround_us


def word_us(bus):
    """Return what one more register costs in a request."""
    return 2 * bus.char_us


def plan(spans, most, request_us, word_us, bridges=True):
    """Return [(address, count)] that cover all spans at the least cost.

    `spans` are (address, words) in ascending order, each of at most `most` words, none overlapping another. No block
    is longer than `most`; without `bridges` none holds a register that belongs to no span. Each span lies in one block.
    """
    best = [(0, 0)]  # for the first i spans: (cost, first span of the last block)
    for i in range(1, len(spans) + 1):
        end = spans[i - 1][0] + spans[i - 1][1]
        found = None
        for first in range(i - 1, -1, -1):
            if first < i - 1 and not bridges and spans[first][0] + spans[first][1] != spans[first + 1][0]:
                break
            count = end - spans[first][0]
            if count > most:
                break
            cost = best[first][0] + request_us + count * word_us
            if found is None or cost < found[0]:
                found = (cost, first)
        best.append(found)
    blocks = []
    i = len(spans)
    while i:
        first = best[i][1]
        blocks.append((spans[first][0], spans[i - 1][0] + spans[i - 1][1] - spans[first][0]))
        i = first
    blocks.reverse()
    return blocks
