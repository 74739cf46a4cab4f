"""Jobs taken from the store and run: Celery carries their ids."""
