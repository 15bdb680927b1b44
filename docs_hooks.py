"""Adds the pages that are made from the code to the documentation's site."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from clarion.cli.reference import pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Every page of the reference, as it is in this version."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
