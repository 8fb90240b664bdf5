"""Lines of text -> columns of numbers with the names that fit them."""
