"""Write the parts of the pages that come from elsewhere (`make docs`, `make readme`, `make deviations`)."""
