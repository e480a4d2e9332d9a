"""Receive the records of many boards from a broker: verify on arrival, store durably, acknowledge after the commit."""
