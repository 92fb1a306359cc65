"""Topics, permissions and groups: what the admin client is for."""
