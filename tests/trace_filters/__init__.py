"""Tests of the filters over traces."""
