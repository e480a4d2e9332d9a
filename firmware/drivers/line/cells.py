"""The cells of one bus: an array of small integers with a header, a row a unit and a row a job.

The steps of this folder's files work on them in viper, at a tenth of what attributes cost. Viper knows a number only
where it stands in the same file, so those files write out the ones they use; a test holds them against
these. Every cell is at least 0: a 64-bit VM reads a 32-bit cell without its sign. Times are 30-bit us.
"""

# Header.
STATE = 0  # of the line: QUIET, SEND, LISTEN, GAP
JOB = 1  # row of the job on the line, 0 for none
N = 2  # bytes in the window
BASE = 3  # where in it the answer may begin
AT = 4  # where a frame that was judged right begins
VERDICT = 5  # on what is there so far
TRIED = 6  # this silence has been examined
NOISY = 7  # this gap has a culprit
SPILT = 8  # more came than fits: only a frame before a silence counts
ECHO = 9  # the adapter repeats what is sent
LEAD = 10  # us from the begin of a period to its set point, at least; 0 where the feed-forward reads here
FRAME_N = 11  # bytes of the request
ANSWER_N = 12  # and of its answer
BUSY = 13  # last seen sending
END = 14  # when the request's last byte left, or is to leave
DEADLINE = 15
LAST = 16  # last byte of either side
NOISE_AT = 17  # when the noise of this gap began
WAKE = 18  # something is due then even if no byte comes
CHAR = 19  # us a character
SILENCE = 20  # t3.5 in us
HEAD = 21  # first row of the queue, 0 for none
FEEDS = 22  # the feed-forward reads on this bus
BABBLE = 23  # times that the line was not silent for 100 ms
FOREIGN = 24  # bursts that belong to no unit
CYCLE = 25  # begin of the next control period
PERIOD = 26  # us, 0 while there are none
DIRECT = 27  # jobs of the feed-forward that are asked and not answered
UNITS = 28  # first row of a unit
FIRST = 29  # when the first byte after the request began
SENT = 30  # tick in ms at which the request's last byte left
BUSY_US = 31  # us that the line has been in use
BEGUN = 32  # when the transaction on the line, or the noise, began
NOW = 33  # time of the last poll
WHO = 34  # number of the job on the line
HOW = 35  # and its form
AWAY = 36  # when the board last looked again, having done something long
COMMANDED = 37  # when the last set point that has gone in this control period was asked for, or 1 us later; 0: none
REFUSED = 38  # the answer is an exception
CLOCK_MS = 39  # the clock's ms at CLOCK_US
NOISED = 40  # when something was last heard that nobody had asked for
INTRUDED = 41  # something came before the request had left
CAME = 42  # bytes that the last poll found
CLOCK_US = 43
COMMANDS = 45  # the bus is to carry set points
COMMAND_DUE = 46  # this period's is expected, and has not gone yet
KEPT = 47  # so many set points are to go, and on time, before anything that can wait
HEADER = 48

# A unit.
UNIT = 0
NEXT_UNIT = 1
REQUESTS = 2
ANSWERS = 3
TIMEOUTS = 4
CRC = 5
EXCEPTIONS = 6
LATE = 7
STRANGE = 8  # bursts with this address that nobody had asked for
TURN_MAX = 9  # end of request to first byte of answer, largest so far
PAUSE = 10  # that it needs after a transaction
LATE_US = 11  # its largest turn-around: how long after a request an answer may still come
FAILS = 12  # in a row
SIGNATURE = 13  # of the last request: what its answer must look like
HELD = 14  # there is something to wait for: the next four count
BARRED = 15  # the signature of a request that may still be answered
SINCE = 16
HOLD = 17  # no request before since + hold
BAR = 18  # none with the barred signature before since + bar
LEARNT = 19  # the turn-around that it has lately needed at most
SEEN = 20  # answers that this is learnt from, up to 16
ORDINARY = 21  # turn-arounds below this are, 0 for none
BUCKETS = 22  # turn-arounds by size, of the first and of each sixteenth: up to 0.5 ms, 1 ms, 2 ms ... 1 s, more
BUCKETS_N = 12
LOSSY = 34  # 4: answers of it get lost now and then, so that a few failures in a row do not say that it is silent
STREAK = 35  # ANSWERS when it last failed after one, 0 for never
GUARD = 36  # two of its requests may still be answered
OWES = 37  # how long after SINCE the last one that failed may be
UNIT_WIDTH = 38

# A job; two cells for what each of its two forms has of its own.
NEXT = 0  # in the queue
ASK = 1  # IDLE, QUEUED, ACTIVE
RANK = 2
DEVICE = 3  # row of its unit
SIGNATURES = 4
ANSWER_LENGTH = 6
FRAME_LENGTH = 8
FORM = 10  # of the last request
TIMEOUT = 11  # us, end of request to first byte of answer
WRITES = 12
AGAIN = 13  # a write that was submitted anew while it was on the line
ASKED = 14
NUMBER = 15
EXPECTED = 16  # what the answer's first three bytes are, the first one lowest; 0 where only judge() knows
AWAITED = 18  # the control tick waits for it
PERSISTS = 19  # a read that is made once more at once where it fails
EXPECTED_MORE = 20  # and of a write the next three
OWN = 22  # where the cells begin that its answers are taken by
WENT = 23  # when a set point was last given to the wire
JOB_WIDTH = 24
