"""What a run tells: verdict, console summary, timeline, charts, report."""
