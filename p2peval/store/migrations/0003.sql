-- The equivalence class of an evaluator decides how a background audit compares its outputs.
ALTER TABLE watches ADD COLUMN equivalence_class TEXT NOT NULL DEFAULT '';
