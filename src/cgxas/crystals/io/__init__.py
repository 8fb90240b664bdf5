"""Files and objects that hold a crystal -> one pymatgen Structure."""
