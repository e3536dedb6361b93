"""What callers of an entry get before and after the plan: by real traffic, through real sidecars.

``entries`` has the entries and what is behind each, ``rows`` who calls them how, ``scene`` puts all of it into one mesh
and asks before and after the plan of the product was written, ``table`` prints.
"""
