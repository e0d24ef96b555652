"""The stages of the line: each a function from sealed tables to one sealed table. Siblings never import each other."""
