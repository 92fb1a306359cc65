"""The cost of an answered click, beside a bare redirect and edges that keep the click in other ways."""
