"""Scripts of links: their sandbox, their definitions and the worker that runs them."""
