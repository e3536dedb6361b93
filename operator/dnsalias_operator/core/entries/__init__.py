"""What becomes of somebody else's ServiceEntry."""
