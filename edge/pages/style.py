"""The style of all pages, in the system's colours: light or dark, as the person has set."""

STYLE = """
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:Canvas;color:CanvasText;font:1.0625rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:38rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.25}
img{max-width:100%;height:auto}
pre{white-space:pre-wrap}
table,td,th{width:auto}
button,input,select,textarea{font:inherit;min-height:44px;max-width:100%;padding:.5rem .75rem;border-radius:.25rem;
border:2px solid CanvasText;background:Canvas;color:CanvasText}
input,select,textarea{display:block;width:100%;border-width:1px}
button{min-width:44px;padding:.5rem 1.25rem;background:CanvasText;color:Canvas;font-weight:bold;cursor:pointer}
.next{display:inline-block;min-height:44px;padding:.6rem 0}
.field{margin:1.25rem 0}
.check{display:flex;gap:.75rem;align-items:center;min-height:44px}
.check input{flex:none;width:24px;min-height:24px}
.error{margin:.25rem 0;padding-left:.5rem;border-left:4px solid;font-weight:bold}
[aria-invalid]{border-width:3px}
:focus-visible{outline:3px solid CanvasText;outline-offset:3px}
"""
"""The content of the `style` element, byte for byte: its hash is in the Content-Security-Policy."""
