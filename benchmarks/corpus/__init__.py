"""An OpenThoughts-shaped corpus with planted near-duplicates and contaminations, for measuring curation."""
