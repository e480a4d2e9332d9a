"""Every finding a verifier can make: one code, what it decides, what it means, what to do.

Effects: I integrity, C completeness, P plausibility; "F" fails that verdict, "U" leaves it unknown, none is a
note. The first letter of the effect (or of the area, for notes) says where the finding is listed. Codes are
stable: other programs may rely on them, so one is never given another meaning.
"""

AREAS = {"I": "integrity", "C": "completeness", "P": "plausibility"}

# code: (area, effects, meaning, advice)
CODES = {
    # the bytes of one record
    "FRAME_BROKEN": ("I", "IF", "Bytes stand here that are no record: framing damaged or overwritten.",
                     "Fetch these records again from the board or from another copy."),
    "TAG_WRONG": ("I", "IF", "The CBOR tag 18 (COSE_Sign1) of the record is missing or another one.",
                  "Ask for the file as the board wrote it; some program has rewritten it."),
    "UNPROTECTED_CONTENT": ("I", "IF", "The unprotected header, which no signature covers, is not empty.",
                            "Ask for the file as the board wrote it; nothing may be added to a record."),
    "NOT_DETERMINISTIC": ("I", "IF", "The bytes are not the one permitted encoding of their content.",
                          "Ask for the file as the board wrote it; some program has encoded it anew."),
    "PAYLOAD_BROKEN": ("I", "IF", "The payload is no CBOR that a record may consist of.",
                       "Fetch this record again from the board or from another copy."),
    "HEADER_WRONG": ("I", "IF", "The protected header is not that of a record.",
                     "Fetch this record again; if it stays, the file was not written by this firmware."),
    "VERSION_UNKNOWN": ("I", "IF", "The record states a format version that this verifier does not know.",
                        "Use a verifier of the version that the record names."),
    "KIND_UNKNOWN": ("I", "IF", "The record is of a kind that the format does not have.",
                     "Report it to the maker: the board signed something outside the format."),
    "FIELD_MISSING": ("I", "IF", "A field that every record of this kind carries is missing.",
                      "Report it to the maker: the board signed an incomplete record."),
    "FIELD_UNKNOWN": ("I", "IF", "A key stands in the record that its kind does not have.",
                      "Report it to the maker: the board signed something outside the format."),
    "FIELD_TYPE": ("I", "IF", "A field holds a value of another type than the format says.",
                   "Report it to the maker: the board signed something outside the format."),
    "FIELD_RANGE": ("I", "IF", "A field holds a value outside its range.",
                    "Report it to the maker: the board signed something outside the format."),
    # keys and signatures
    "KEY_UNKNOWN": ("I", "IF", "The key that the record names is not in the key file.",
                    "Get the board's public key from its owner; if you have it, the record was altered."),
    "KEY_USE": ("I", "IF", "The record names a key that is not meant for records.",
                "Check the key file; a checkpoint key never signs records."),
    "KEY_NOT_VALID": ("I", "IF", "The record lies outside the period for which its key is valid.",
                      "Ask the owner which key was in use then, and why this one was used."),
    "KEY_REVOKED": ("I", "IF", "The record was signed with a key that had been revoked, or may have been.",
                    "Do not rely on it; ask the owner why the key was revoked and when it was last safe."),
    "WRONG_DEVICE": ("I", "IF", "The record belongs to another device than the rest of the file.",
                     "Take the record out of this journal and ask how it came in."),
    "BAD_SIGNATURE": ("I", "IF", "The signature does not fit the content: one of them was altered.",
                      "Do not use this record; compare it with another copy of the journal."),
    "HIGH_S": ("I", "IF", "The signature is valid but in its second form, which a board never writes.",
               "Ask for the file as the board wrote it; somebody has changed the signature."),
    # order and chain
    "SEQ_ORDER": ("I", "IF CU", "Records do not stand in the order of their numbers.",
                  "Ask for the file as the board wrote it; put in order, it can be judged again."),
    "SEQ_REPEATED": ("I", "IF", "A record stands in the file more than once.",
                     "Take the repetition out and ask how it came in."),
    "SEQ_FORKED": ("I", "IF", "Two different records, both validly signed, carry the same number.",
                   "Suspect a copied key or a board set back to an old state; hear the owner."),
    "PREV_MISMATCH": ("I", "IF", "The record does not follow from the one before it: it names another hash.",
                      "Suspect a rewritten history: compare with a checkpoint kept elsewhere."),
    "BOOT_WENT_BACK": ("I", "IF", "The boot counter is lower than in the record before.",
                       "Suspect a board set back to an old state, or two boards with one key."),
    "ROOT_DIFFERS": ("I", "IF CF", "The records are not those that the signed end anchor was made over.",
                     "Suspect a rewritten history: compare both with copies kept elsewhere."),
    # completeness
    "NO_RECORDS": ("C", "IU CU", "There is not one readable record.",
                   "Check that this is the right file."),
    "SEQ_GAP": ("C", "CF", "Record numbers are missing.",
                "Fetch the missing records from the board or from another copy."),
    "HEAD_MISSING": ("C", "CF", "The journal does not start with record 0.",
                     "Supply the earlier records, or give --from to judge only a later range."),
    "EXCERPT": ("C", "", "The file starts after record 0, as --from allows; the root is not recomputed.",
                "Verify the whole journal where the earlier records still exist."),
    "TAIL_CUT": ("C", "CF", "The signed end anchor states more records than there are: the end is missing.",
                 "Fetch the records up to the size that the end anchor states."),
    "NO_END_ANCHOR": ("C", "CU", "Without a signed end anchor nobody can tell whether the end was cut off.",
                      "Give the board's checkpoint with --checkpoint."),
    "PAST_ANCHOR": ("C", "CU", "Records follow that the end anchor does not cover; more may have followed.",
                    "Get the board's latest checkpoint."),
    "CHECKPOINT_BROKEN": ("C", "CU", "The end anchor is not a checkpoint: its text does not have the form.",
                          "Get the checkpoint file again from the board, unchanged to the last byte."),
    "CHECKPOINT_KEY": ("C", "CU", "The end anchor is not signed by a known checkpoint key of its device.",
                       "Get the checkpoint and the key file of the same board."),
    "CHECKPOINT_SIGNATURE": ("C", "CU", "The signature of the end anchor does not fit its text.",
                             "Get the checkpoint file again from the board, unchanged to the last byte."),
    "CHECKPOINT_DEVICE": ("C", "CU", "The end anchor belongs to another device than the records.",
                          "Give the checkpoint of this board."),
    "TIME_GAP": ("C", "CF", "Time is missing between two records and no gap record states it.",
                 "Ask what happened then; a board states every interruption itself."),
    "TIME_OVERLAP": ("C", "CF", "A record starts before the one before it ends.",
                     "Suspect a clock that was set back; the energy of that time may be counted twice."),
    "UPTIME_GAP": ("C", "CF", "The board's own running time does not continue from the record before.",
                   "Ask what happened then; a board states every interruption itself."),
    "BOOT_UNSTATED": ("C", "CF", "The board restarted and no gap record states it.",
                      "Ask what happened then; a board states every restart itself."),
    "RANGE_NOT_COVERED": ("C", "CF", "The records do not reach over the whole range that was asked for.",
                          "Fetch the missing time, or ask for a range that the journal covers."),
    "GAP_STATED": ("C", "", "The board itself states that it did not measure here.",
                   "Nothing to do; treat the time as unmeasured."),
    # plausibility: time and quality
    "UPTIME_DRIFT": ("P", "", "UTC and the board's own running time disagree by more than a clock can drift.",
                     "Look at the clock source of the board."),
    "CLOCK_FIELDS": ("P", "PF", "Clock state and start time contradict each other.",
                     "Report it to the maker: the board signed contradicting fields."),
    "NOT_ALIGNED": ("P", "PF", "The interval does not lie on the quarter hours of UTC as it should.",
                    "Report it to the maker: intervals are cut at 900 s of UTC or marked partial."),
    "BOOT_NOT_COUNTED": ("P", "PF", "A record states a restart but the boot counter has not moved.",
                         "Report it to the maker: the boot counter does not count."),
    "FLAG_CONTENT": ("P", "PF", "A flag contradicts the content of the record.",
                     "Report it to the maker: the board signed contradicting fields."),
    "FLAG_CHANGE": ("P", "PF", "Flag and content disagree about a restart, new configuration or firmware.",
                    "Compare the record with the one before: something changed, or is said to have."),
    "TICKS_INCONSISTENT": ("P", "PF", "The counts of control periods contradict each other.",
                           "Report it to the maker: the board signed contradicting fields."),
    "LOW_COVERAGE": ("P", "", "Less than 95 % of the control periods had every measurement.",
                     "Look at the meters' time-outs in this record."),
    "SUBSTITUTE_HIDDEN": ("P", "PF", "Energy from substitute values is not declared as such.",
                          "Do not treat the quality of this record as stated."),
    "METERS_ORDER": ("P", "PF", "The meters are not listed once each in role order.",
                     "Report it to the maker: the board signed contradicting fields."),
    # plausibility: energy and carbon
    "BALANCE_SUM": ("P", "PF", "Sources, uses and residual do not add up (I1).",
                    "Do not use these figures: the board's own sum is wrong."),
    "REGISTER_FIELDS": ("P", "PF", "What the record says of an energy register contradicts itself.",
                        "Report it to the maker: the board signed contradicting fields."),
    "REGISTER_CHAIN": ("P", "PF", "An energy register does not start where it ended in the record before.",
                       "Do not use these figures: energy was left out or counted twice between two records."),
    "REGISTER_BACK": ("P", "PF", "An energy register went back and the record does not say so.",
                      "Ask whether the meter was changed or reset then; the board flags that itself."),
    "REGISTER_ENERGY": ("P", "PF", "An energy of the record does not follow from the register that it is said to.",
                        "Compare the figures with the meter's own display; do not use them before."),
    "REGISTER_DIFFERS": ("P", "", "A meter's register and its power differ by more than class and resolution explain.",
                         "Check the meter's ratios and scale: one of its two figures is wrong."),
    "BALANCE_RESIDUAL": ("P", "", "The residual is above 2 % of the sources and 100 Wh.",
                         "Check the current transformers and the time alignment of the meters."),
    "BALANCE_LIMIT": ("P", "PF", "The residual is above 10 % of the sources and 100 Wh.",
                      "Do not use these figures: a meter is missing, wrongly scaled or bypassed."),
    "MIX_SPLIT": ("P", "PF", "The origin of the load's energy is not the split that the rule gives.",
                  "Do not use these figures: they were not computed by the rule."),
    "POOL_ENERGY": ("P", "PF", "Stored energy does not follow from charge, loss, discharge, true-up (I2).",
                    "Do not use these figures: they were not computed by the rule."),
    "POOL_LOSS": ("P", "PF", "Loss, remainder or true-up cannot be what the rule gives.",
                  "Do not use these figures: they were not computed by the rule."),
    "POOL_CARBON": ("P", "PF", "The stored carbon does not follow from what went in and out (I3).",
                    "Do not use these figures: carbon was added to the storage or dropped from it."),
    "POOL_DISCHARGE": ("P", "PF", "The carbon taken out of the storage is not its share of what was stored.",
                       "Do not use these figures: they were not computed by the rule."),
    "POOL_WRITE_OFF": ("P", "PF", "Carbon was written off, or kept, against the rule for an emptied storage.",
                       "Do not use these figures: carbon may have been dropped."),
    "CARBON_SUM": ("P", "PF", "The uses do not carry all the carbon of the sources (I4).",
                   "Do not use these figures: carbon was added or dropped."),
    "CARBON_SPLIT": ("P", "PF", "The carbon of the sources is not split over the uses as the rule gives.",
                     "Do not use these figures: carbon was moved from one use to another."),
    "POOL_CHAIN": ("P", "PF", "The storage does not start as it ended in the record before (I5).",
                   "Do not use these figures: stored energy or carbon changed between two records."),
    "POOL_START": ("P", "PF", "The first storage does not carry the carbon of the substitute factor.",
                   "Ask how the initial storage was set; it must be conservative."),
    # plausibility: against files
    "FACTORS_DIFFER": ("P", "PF", "The record names another factor table than the one given.",
                       "Give the factor table that was in use then."),
    "FACTOR_ROW": ("P", "PF", "The grid factor of the record is not the one the factor table gives.",
                   "Do not use these figures: they rest on another factor."),
    "SITE_DIFFERS": ("P", "PF", "The record names another site description than the one given.",
                     "Give the site.json that was in use then."),
    "RATING_EXCEEDED": ("P", "PF", "More energy in the interval than the rating in site.json allows.",
                        "Check scaling and ratios of that meter, and the rating."),
    "SITE_FACTOR": ("P", "PF", "A fixed emission factor of the record is not the one in site.json.",
                    "Do not use these figures: they rest on another factor."),
    "FIRMWARE_DIFFERS": ("P", "PF", "The record names another firmware than the sources given.",
                         "Give the sources of the firmware that was in use then."),
}


class Finding:
    """One finding: code, record number or None, file offset or None, what was found, further numbers."""

    __slots__ = ("code", "seq", "offset", "what", "file", "seqs")

    def __init__(self, code, what, seq=None, offset=None, file=None, seqs=None):
        self.code = code
        self.what = what
        self.seq = seq
        self.offset = offset
        self.file = file
        self.seqs = seqs if seqs is not None else ([] if seq is None else [seq])

    def as_json(self):
        """Give the machine-readable form."""
        return {
            "code": self.code, "area": area(self.code), "severity": severity(self.code), "seq": self.seq,
            "seqs": self.seqs, "file": self.file, "offset_bytes": self.offset, "what": self.what,
            "advice": CODES[self.code][3],
        }


def area(code):
    """Name the list in which a code stands."""
    return AREAS[CODES[code][0]]


def severity(code):
    """Tell an error (it fails a verdict or leaves it unknown) from a note."""
    return "error" if CODES[code][1] else "note"
