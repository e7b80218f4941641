from tests.unit.paperwork.conftest import a_procedure

__all__ = ["a_procedure"]
