"""What is wrong: coded faults of the world as it is."""
