"""Record programs of the original GenSim: what their `reset` adds, as plain data.

Nothing of that project is used. Stand-ins for its modules (`facade`, `recorder`) note the calls,
inside the worker; a gate of its own (`gate`) says which programs may run.
"""
