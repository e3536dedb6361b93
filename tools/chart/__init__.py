"""What is generated of chart/: `make chart`."""
