"""Typed calls between Python and components: what the code that bindgen generates stands on."""
