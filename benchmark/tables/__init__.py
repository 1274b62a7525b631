"""Result rows turned into tables: cells, grids, ranks, paired differences, files."""
