"""Binding of `{{ name }}` in scripts as data, never as text: checked when saved, rendered when run."""

from contracts.binding.cmd import RenderedCmd, check_cmd, render_cmd
from contracts.binding.model import (
    BindingRefused,
    ParameterValue,
    Placeholder,
    Refusal,
    check_names,
)
from contracts.binding.powershell import check_powershell, render_powershell
from contracts.binding.scanning import placeholders
from contracts.binding.sh import check_sh, render_sh

__all__ = [
    "BindingRefused",
    "ParameterValue",
    "Placeholder",
    "Refusal",
    "RenderedCmd",
    "check_cmd",
    "check_names",
    "check_powershell",
    "check_sh",
    "placeholders",
    "render_cmd",
    "render_powershell",
    "render_sh",
]
