"""Tables of known results: read, checked, and looked up."""
