"""Drivers of ours for parts that MicroPython has none for, or none that reports what went wrong.

They know buses and blocks, and import nothing of the firmware.
"""
