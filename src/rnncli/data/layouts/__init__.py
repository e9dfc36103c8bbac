"""How a table holds its records, a file each, and their table in order of precedence.

A layout *recognizes* itself on the first rows of a table, with what the user, the task and the model say, and answers
with a plan: the role of every column, and a sentence why. It raises the refusal where a reading is likely, and another
one as likely. The plan then *reads* the rows, one record after the other, in the same way for every command.
"""
