"""From the analyst's tree to private relations and a public remainder: names, units, joins."""
