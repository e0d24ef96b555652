"""Mathematics: answers are read whole or not at all, and compared by a cascade, cheapest first.

| module | does |
|---|---|
| `spelling` | one spelling for what is written in many ways |
| `tokens`, `parsing` | text to a tree; the whole text, or it is not readable |
| `trees` | the tree |
| `exact`, `algebra` | exact values; a normal form for sums of products of roots and names |
| `balls` | values with error bounds, in floats or with many digits |
| `scalars` | two expressions |
| `sets`, `shapes` | intervals and inequalities; lists, tuples, matrices, equations |
| `units` | units of measurement |
| `prose` | answers in words |
| `policy` | what is forgiven, by name |
| `cascade` | all of it in order |
"""
