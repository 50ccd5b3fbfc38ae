"""Files, processes, progress and the like. It needs nothing but the standard library."""
