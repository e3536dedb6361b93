"""`dnsalias lint -o html`: one self-contained page for people; the parts are named for what they make."""
