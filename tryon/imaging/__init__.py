"""Write and read the PNG files for which general libraries are several times slower."""
