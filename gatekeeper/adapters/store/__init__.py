"""The store on SQLAlchemy: SQLite and PostgreSQL."""
