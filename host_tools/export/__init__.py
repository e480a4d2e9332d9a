"""Exports: tables made of the records that hold, each with what it rests on and what it is not."""
