"""Judge the evidence of a board: written from the record's specification, never from the firmware's code."""
