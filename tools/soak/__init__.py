"""A long run under steady change: does anything grow, and is everything right at the end?

python -m tools.soak --minutes 60 --rate 20
"""
