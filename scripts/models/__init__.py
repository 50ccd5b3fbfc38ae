"""The household and toy objects of the suite, modelled from simple solids."""
