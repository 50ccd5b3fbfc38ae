"""The rules of the gate: what each part of a program's syntax tree may be.

Anything that is not listed here is refused, so a new Python version cannot add a hole. They read
trees that are not deep, since nested tuples and annotations are walked by recursion.
"""
