"""Is this alias served, by which ServiceEntry, and if not, why."""
