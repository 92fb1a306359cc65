"""Trials of scripts that take minutes; `make script-kills`."""
