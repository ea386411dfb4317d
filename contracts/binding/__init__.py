"""Binding of `{{ name }}` in scripts as data, never as text: checked when saved, rendered when run."""

from contracts.binding.cmd import RenderedCmd, check_cmd, render_cmd
from contracts.binding.filling import check_text, fill, fill_all
from contracts.binding.http import (
    bind_header,
    bind_json,
    bind_raw,
    bind_url,
    check_header,
    check_json,
    check_raw,
    check_url,
)
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
    "bind_header",
    "bind_json",
    "bind_raw",
    "bind_url",
    "check_cmd",
    "check_header",
    "check_json",
    "check_names",
    "check_powershell",
    "check_raw",
    "check_sh",
    "check_text",
    "check_url",
    "fill",
    "fill_all",
    "placeholders",
    "render_cmd",
    "render_powershell",
    "render_sh",
]
