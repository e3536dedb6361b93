"""The edits that remedies ask for, carried out on the objects of a world, and the judgement of what comes of them."""
