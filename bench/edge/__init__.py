"""What an answered click costs, beside a bare redirect and beside edges that keep the click in other ways."""
