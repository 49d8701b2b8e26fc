"""The end of the body of EXATRUST_UDF: what `exa.import_script` hands out is the release's package.

Names are looked up in the package when they are used, so that importing costs next to nothing.
The stub stands before this text, in the same script.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from exatrust_udf.stub import PIN, _loaded, exa, load


def __getattr__(name: str) -> object:
    """Return what the package offers under this name; it is loaded, and checked, when first used.

    Raises RuntimeError where the release's code is missing or altered.
    """
    if name.startswith("_"):
        raise AttributeError(name)
    if not _loaded:
        _loaded.append(load())
    package = sys.modules["exatrust_udf"]
    package.use_pin({**PIN, "node": str(exa.meta.node_id)})
    if name not in package.__all__:
        raise AttributeError(f"exatrust_udf has no {name}; it has {', '.join(package.__all__)}")
    return getattr(package, name)
