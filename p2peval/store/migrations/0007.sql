-- Labels that a benchmark's spec only commits to (core/held_labels.py).
ALTER TABLE benchmarks ADD COLUMN labels TEXT NOT NULL DEFAULT 'null';
