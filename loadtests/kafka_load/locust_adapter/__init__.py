"""Joins the harness to Locust: users, options, messages between master and workers, statistics, web page."""
