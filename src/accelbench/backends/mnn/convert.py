"""Run as a program: convert.py ARGUMENTS-OF-MNNCONVERT. Calls the converter's own entry point. The command
``mnnconvert`` and the module ``MNN.tools.mnnconvert`` would first install a logging package with pip, and then report
the conversion to its makers."""

import sys

import _tools

_tools.mnnconvert(["mnnconvert", *sys.argv[1:]])
