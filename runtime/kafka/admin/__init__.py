"""Topics, ACLs and groups, by the admin client."""
