"""What ``rnncli inspect`` can show, one view a file: its row for the table, and how its numbers are drawn."""
