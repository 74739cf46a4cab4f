from gatekeeper.flow.analyze import analyze as analyze

__version__: str
