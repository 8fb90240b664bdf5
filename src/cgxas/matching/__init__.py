"""Which of many crystals a measured spectrum is of, or none of them."""
