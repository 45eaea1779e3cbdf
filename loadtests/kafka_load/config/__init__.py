"""What a run is to do: options, profiles, schedules and limits, brought together into a plan."""
