"""What a link asks for, decided purely."""
